import { crossedThresholds } from './thresholds.ts';
import type { Observations, ScarceResource, Threshold } from './thresholds.ts';

/** Which thresholds are crossed, since when. */
export interface ThresholdTracker {
  /** Notes what is seen now; returns thresholds that were crossed for their grace period. */
  observe(observations: Observations, nowMs: number): Threshold[];
  /** What runs short now, within grace periods too: for the node's conditions. */
  scarce(): ReadonlySet<ScarceResource>;
}

/** A threshold once crossed stays so until its minimum reclaim is free as well. */
export function createThresholdTracker(thresholds: readonly Threshold[]): ThresholdTracker {
  let since = new Map<Threshold, number>();
  let resources = new Set<ScarceResource>();
  return {
    observe(observations, nowMs) {
      const crossed = crossedThresholds(thresholds, observations);
      const lasting = crossedThresholds([...since.keys()], observations, true);
      since = new Map(
        [...new Set([...crossed, ...lasting])].map((one) => [one, since.get(one) ?? nowMs]),
      );
      resources = new Set(
        [...since.keys()].flatMap(({ signal }) => observations.get(signal)?.resource ?? []),
      );
      return [...since].filter(([one, at]) => nowMs - at >= one.graceMs).map(([one]) => one);
    },
    scarce: () => resources,
  };
}
