import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { hasTracking, trackingFinalizer } from './job-facts.ts';

/** Lets a pod go that is counted, or that no job will ever count. A pod that is gone is fine. */
export async function removeTracking(client: Client, pod: Pod): Promise<void> {
  let current = pod;
  for (let tries = 0; tries < 3 && hasTracking(current); tries++) {
    const { name, namespace, uid, resourceVersion } = current.metadata;
    const finalizers = (current.metadata.finalizers ?? []).filter(
      (finalizer) => finalizer !== trackingFinalizer,
    );
    // The version keeps finalizers that others add or remove at the same time.
    const body = { metadata: { uid, resourceVersion, finalizers } };
    try {
      await client.patch<Pod>(resources.pods, name, { type: 'merge', body }, { namespace });
      return;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      if (!hasReason(error, 'Conflict')) throw error;
      const live = await livePod(client, pod);
      if (live === undefined) return;
      current = live;
    }
  }
}

async function livePod(client: Client, pod: Pod): Promise<Pod | undefined> {
  const { name, namespace, uid } = pod.metadata;
  try {
    const live = await client.get<Pod>(resources.pods, name, { namespace });
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
