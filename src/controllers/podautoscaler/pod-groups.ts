import { K3tsError } from '#base/errors.ts';
import { podRequests } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import type { AutoscalingRules } from '../context.ts';
import { podCondition } from '../pods/pod-state.ts';
import { milliOf } from './metrics-client.ts';
import type { PodMetrics } from './metrics-client.ts';

/** Pods by how much their numbers are worth. */
export interface PodGroups {
  readonly readyCount: number;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

export type ReadinessRules = Pick<AutoscalingRules, 'cpuInitializationMs' | 'initialReadinessMs'>;

/** Same as upstream: failed and leaving pods do not count, for CPU those coming up do not either. */
export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  options: { resource: string; nowMs: number; rules: ReadinessRules },
): PodGroups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let readyCount = 0;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else if (!metrics.has(name)) missing.add(name);
    else if (options.resource === 'cpu' && isComingUp(pod, metrics, options)) unready.add(name);
    else readyCount += 1;
  }
  return { readyCount, unready, missing, ignored };
}

function isComingUp(
  pod: Pod,
  metrics: PodMetrics,
  { nowMs, rules }: { nowMs: number; rules: ReadinessRules },
): boolean {
  const ready = podCondition(pod, 'Ready');
  const startTime = pod.status?.startTime;
  const metric = metrics.get(pod.metadata.name);
  if (ready === undefined || startTime === undefined || metric === undefined) return true;
  const startMs = Date.parse(startTime);
  const changedMs = Date.parse(ready.lastTransitionTime ?? startTime);
  const isUnready = ready.status === 'False';
  if (startMs + rules.cpuInitializationMs > nowMs) {
    return isUnready || metric.atMs < changedMs + metric.windowMs;
  }
  return isUnready && startMs + rules.initialReadinessMs > changedMs;
}

/**
 * What each pod asks of a resource, in thousandths, or one container of it. Throws with upstream's
 * text when a container asks for nothing, because then there is no utilization.
 */
export function podResourceRequests(
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): Map<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const podLevel = pod.spec?.resources?.requests?.[resource];
    if (podLevel !== undefined && container === undefined) {
      const amount = podRequests(pod).get(resource) ?? 0;
      requests.set(pod.metadata.name, resource === 'cpu' ? amount : amount * 1000);
      continue;
    }
    const sidecars = (pod.spec?.initContainers ?? []).filter(
      ({ restartPolicy }) => restartPolicy === 'Always',
    );
    let sum = 0;
    for (const one of [...(pod.spec?.containers ?? []), ...sidecars]) {
      if (container !== undefined && one.name !== container) continue;
      const text = one.resources?.requests?.[resource];
      if (text === undefined) {
        const message = `missing request for ${resource} in container ${one.name} of Pod ${pod.metadata.name}`;
        throw new K3tsError('MissingRequest', message);
      }
      sum += milliOf(text);
    }
    requests.set(pod.metadata.name, sum);
  }
  return requests;
}
