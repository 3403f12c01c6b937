import { parseQuantity, formatQuantity } from '#base/quantity.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { offendingContainers } from './pod-usage.ts';
import type { PodUse } from './pod-usage.ts';
import { amountText, thresholdText } from './thresholds.ts';
import type { Observations, ScarceResource, Threshold } from './thresholds.ts';

const reason = 'Evicted';

/** An eviction as status and event tell it. */
export interface EvictionNotice {
  readonly verdict: PodVerdict;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The node runs short: what of, how much, and which containers took more than they asked for. */
export function pressureNotice(
  use: PodUse,
  threshold: Threshold,
  observations: Observations,
  resource: ScarceResource,
): EvictionNotice {
  const offenders = offendingContainers(use, resource);
  const available = observations.get(threshold.signal)?.available ?? 0;
  const text = (amount: number): string => amountText(resource, amount);
  const message = [
    `The node was low on resource: ${resource}. `,
    `Threshold quantity: ${thresholdText(threshold, observations)}, available: ${text(available)}. `,
    ...offenders.map(
      ({ name, used, requested }) =>
        `Container ${name} was using ${text(used)}, request is ${text(requested)}, has larger consumption of ${resource}. `,
    ),
  ].join('');
  return {
    verdict: verdictOf(message, true),
    annotations: {
      offending_containers: offenders.map(({ name }) => name).join(','),
      offending_containers_usage: offenders.map(({ used }) => text(used)).join(','),
      starved_resource: resource,
    },
  };
}

/** A pod that is over a limit of its own; the node itself may be well. */
export function limitNotice(message: string): EvictionNotice {
  return { verdict: verdictOf(message, false), annotations: {} };
}

function verdictOf(message: string, isDisruption: boolean): PodVerdict {
  return {
    phase: 'Failed',
    reason,
    message,
    ...(isDisruption
      ? {
          condition: {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'TerminationByKubelet',
            message,
          },
        }
      : {}),
  };
}

/** A limit as users wrote it, in canonical form. */
export function limitText(text: string): string {
  return formatQuantity(parseQuantity(text));
}
