import { objectKey } from '#client/mod.ts';
import type { Expectations, Informer } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { isDeleting } from './pod-state.ts';

/**
 * Takes back what was expected of pods whose end the informer has shown already, be it before it
 * was expected: no event comes for them any more. Call it after the deletions.
 */
export function observeDeleted(
  expectations: Expectations,
  key: string,
  pods: Informer<Pod>,
  deleted: readonly Pod[],
): void {
  for (const pod of deleted) {
    const known = pods.get(objectKey(pod));
    const isAwaited = known?.metadata.uid === pod.metadata.uid && !isDeleting(known as Pod);
    if (!isAwaited) expectations.deletionObserved(key, pod.metadata.uid ?? '');
  }
}
