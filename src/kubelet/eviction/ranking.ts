import { specOf } from '../pods/names.ts';
import { requestOf, useOf } from './pod-usage.ts';
import type { PodUse } from './pod-usage.ts';
import type { ScarceResource } from './thresholds.ts';

/**
 * Pods in the order in which they go: those above their requests, then the lower priority, then the
 * larger excess; for processes priority and number only. Same as upstream.
 */
export function rankPods(uses: readonly PodUse[], resource: ScarceResource): PodUse[] {
  const priority = ({ pod }: PodUse): number => specOf(pod).priority ?? 0;
  const excess = (use: PodUse): number => useOf(use, resource) - requestOf(use, resource);
  return uses.toSorted((a, b) => {
    if (resource !== 'pids') {
      const isAbove = Number(excess(b) > 0) - Number(excess(a) > 0);
      if (isAbove !== 0) return isAbove;
    }
    return priority(a) - priority(b) || excess(b) - excess(a);
  });
}
