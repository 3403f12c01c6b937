import type { Pod } from '#schema/types.ts';
import { differ } from '../cluster-events.ts';

/**
 * Whether two states of a placed pod are the same to every sum, counter and index kept here. An
 * assumed pod gets its node with the next generation.
 */
export function countsAlike(before: Pod, after: Pod, wasAssumed: boolean): boolean {
  const steps = (after.metadata.generation ?? 0) - (before.metadata.generation ?? 0);
  return (
    (steps === 0 || (wasAssumed && steps === 1)) &&
    before.metadata.uid === after.metadata.uid &&
    before.metadata.deletionTimestamp === after.metadata.deletionTimestamp &&
    !differ(before.metadata.labels, after.metadata.labels) &&
    !differ(allocatedAmounts(before), allocatedAmounts(after))
  );
}

/** What in-place resize has given the pod: counts besides what it asks for. */
export function allocatedAmounts({ status }: Pod): unknown {
  return [status?.containerStatuses, status?.initContainerStatuses].map((statuses) =>
    statuses?.map(({ allocatedResources, resources }) => [allocatedResources, resources?.requests]),
  );
}
