import { objectKey } from '#client/mod.ts';
import type { Expectations, Informer } from '#client/mod.ts';
import type { DaemonSet, Pod } from '#schema/types.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { slowStart } from '../pods/slow-start.ts';
import { daemonPod } from './daemon-pod.ts';
import type { Placement } from './placement.ts';

/** As upstream: at most this many pods are made, and as many deleted, in one step. */
const burst = 250;

/** Makes and deletes pods; throws the first error once all have been tried. */
export async function changePods(options: {
  set: DaemonSet;
  placement: Placement;
  hash: string;
  control: PodControl;
  expectations: Expectations;
  known: Informer<Pod>;
}): Promise<void> {
  const { set, placement, hash, control, expectations, known } = options;
  const key = objectKey(set);
  const nodes = placement.nodes.slice(0, burst);
  const pods = placement.pods.slice(0, burst);
  if (nodes.length > 0) expectations.expectCreations(key, nodes.length);
  expectations.expectDeletions(
    key,
    pods.map(({ metadata }) => metadata.uid ?? ''),
  );
  const total = nodes.length;
  const { successes, error } = await slowStart(total, () =>
    control.create(daemonPod(set, nodes.shift() ?? '', hash), set),
  );
  for (let failed = total - successes; failed > 0; failed--) expectations.creationObserved(key);
  const results = await Promise.allSettled(
    pods.map(async (pod) => {
      try {
        await control.delete(pod, set);
      } catch (problem) {
        expectations.deletionObserved(key, pod.metadata.uid ?? '');
        throw problem;
      }
    }),
  );
  observeDeleted(expectations, key, known, pods);
  if (error !== undefined && !isNamespaceTerminating(error)) throw error as Error;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
