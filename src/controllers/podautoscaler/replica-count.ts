import { K3tsError } from '#base/errors.ts';
import type { Pod } from '#schema/types.ts';
import { isPodReady } from '../pods/pod-state.ts';
import type { PodMetric, PodMetrics } from './metrics-client.ts';
import { groupPods, podResourceRequests } from './pod-groups.ts';
import type { ReadinessRules } from './pod-groups.ts';

/** How far usage may be from its target, as parts of it, before anything is done. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a metric asks for; usage is in thousandths. */
export interface Proposal {
  readonly replicas: number;
  readonly usage: number;
  /** Percent of what the pods request. */
  readonly utilization?: number | undefined;
}

export interface CountInputs {
  readonly currentReplicas: number;
  /** Every pod that the scale's selector picks. */
  readonly pods: readonly Pod[];
  readonly tolerances: Tolerances;
  readonly nowMs: number;
  readonly rules: ReadinessRules;
}

const largest = 2 ** 31 - 1;

function ceilReplicas(value: number): number {
  return Math.min(Math.ceil(value), largest);
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

function fail(message: string): K3tsError {
  return new K3tsError('NoReplicaCount', message);
}

/** A share of what the pods request, in percent. */
export function utilizationReplicas(
  metrics: PodMetrics,
  of: { targetPercent: number; resource: string; container: string | undefined },
  inputs: CountInputs,
): Proposal {
  const requests = podResourceRequests(nonEmpty(inputs.pods), of.resource, of.container);
  const utilizationOf = (values: ReadonlyMap<string, Pick<PodMetric, 'value'>>): number => {
    let usage = 0;
    let requested = 0;
    for (const [name, { value }] of values) {
      const request = requests.get(name);
      if (request === undefined) continue;
      usage += value;
      requested += request;
    }
    if (requested === 0) throw fail('no metrics returned matched known pods');
    return Math.trunc((usage * 100) / requested);
  };
  // Pods without numbers count as if they used all they may, should that be more than all.
  const fallback = Math.max(100, of.targetPercent);
  let usage = 0;
  let utilization = 0;
  const replicas = balance(metrics, of.resource, inputs, {
    ratio: (values) => utilizationOf(values) / of.targetPercent,
    fullValue: (name) => Math.trunc(((requests.get(name) ?? 0) * fallback) / 100),
    isRawAtOne: true,
    note(values) {
      utilization = utilizationOf(values);
      const known = [...values].filter(([name]) => requests.has(name));
      usage = Math.trunc(known.reduce((sum, [, { value }]) => sum + value, 0) / known.length);
    },
  });
  return { replicas, usage, utilization };
}

/** An average over pods, in thousandths; `resource` is empty for custom metrics. */
export function averageReplicas(
  metrics: PodMetrics,
  of: { target: number; resource: string },
  inputs: CountInputs,
): Proposal {
  nonEmpty(inputs.pods);
  const average = (values: ReadonlyMap<string, Pick<PodMetric, 'value'>>): number =>
    Math.trunc([...values.values()].reduce((sum, { value }) => sum + value, 0) / values.size);
  let usage = 0;
  const replicas = balance(metrics, of.resource, inputs, {
    ratio: (values) => average(values) / of.target,
    fullValue: () => of.target,
    isRawAtOne: false,
    note(values) {
      usage = average(values);
    },
  });
  return { replicas, usage };
}

interface Measure {
  ratio(values: ReadonlyMap<string, Pick<PodMetric, 'value'>>): number;
  /** What a pod without numbers is taken to use when usage is low. */
  fullValue(name: string): number;
  /** Whether pods without numbers are left out when usage is exactly on target. */
  readonly isRawAtOne: boolean;
  /** Called with the pods that count. */
  note(values: ReadonlyMap<string, Pick<PodMetric, 'value'>>): void;
}

/**
 * The rule of all metrics of pods: missing ones count against the change, coming ones as idle when
 * there is too much load, and what would turn the direction around changes nothing.
 */
function balance(
  metrics: PodMetrics,
  resource: string,
  inputs: CountInputs,
  measure: Measure,
): number {
  const { currentReplicas, tolerances, pods } = inputs;
  const { readyCount, unready, missing, ignored } = groupPods(pods, metrics, {
    ...inputs,
    resource,
  });
  const values = new Map<string, Pick<PodMetric, 'value'>>(metrics);
  for (const name of [...ignored, ...unready]) values.delete(name);
  if (values.size === 0) {
    throw fail('did not receive metrics for targeted pods (pods might be unready)');
  }
  measure.note(values);
  const ratio = measure.ratio(values);
  const scalesUpWithUnready = unready.size > 0 && ratio > 1;
  if (!scalesUpWithUnready && missing.size === 0) {
    return isWithin(ratio, tolerances) ? currentReplicas : ceilReplicas(ratio * readyCount);
  }
  if (ratio < 1) for (const name of missing) values.set(name, { value: measure.fullValue(name) });
  else if (ratio > 1 || !measure.isRawAtOne) for (const name of missing) values.set(name, idle);
  if (scalesUpWithUnready) for (const name of unready) values.set(name, idle);
  const next = measure.ratio(values);
  if (isWithin(next, tolerances) || (ratio < 1 && next > 1) || (ratio > 1 && next < 1)) {
    return currentReplicas;
  }
  const replicas = ceilReplicas(next * values.size);
  const isTurned =
    (next < 1 && replicas > currentReplicas) || (next > 1 && replicas < currentReplicas);
  return isTurned ? currentReplicas : replicas;
}

const idle = { value: 0 };

/** One value for all pods, to be brought to `target`. */
export function valueReplicas(usage: number, target: number, inputs: CountInputs): Proposal {
  const { currentReplicas, tolerances, pods } = inputs;
  const ratio = usage / target;
  if (currentReplicas === 0) return { replicas: ceilReplicas(ratio), usage };
  if (isWithin(ratio, tolerances)) return { replicas: currentReplicas, usage };
  const readyCount = nonEmpty(pods).filter(
    (pod) => pod.status?.phase === 'Running' && isPodReady(pod),
  ).length;
  return { replicas: ceilReplicas(ratio * readyCount), usage };
}

/** One value that is shared out over the pods: `target` for each. */
export function sharedReplicas(
  usage: number,
  target: number,
  { currentReplicas, tolerances }: Pick<CountInputs, 'currentReplicas' | 'tolerances'>,
): Proposal {
  const ratio = usage / (target * currentReplicas);
  const replicas = isWithin(ratio, tolerances) ? currentReplicas : ceilReplicas(usage / target);
  const shared = currentReplicas === 0 ? usage : Math.ceil(usage / currentReplicas);
  return { replicas, usage: shared };
}

function nonEmpty(pods: readonly Pod[]): readonly Pod[] {
  if (pods.length > 0) return pods;
  throw fail('no pods returned by selector while calculating replica count');
}
