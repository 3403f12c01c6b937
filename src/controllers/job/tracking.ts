import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { hasTracking, trackingFinalizer } from './job-facts.ts';

/**
 * Lets a pod go that is counted, or that no job will ever count. The patch names the finalizer
 * alone, so that it never meets what a kubelet writes at the same time. A pod that is gone is fine.
 */
export async function removeTracking(client: Client, pod: Pod): Promise<void> {
  if (!hasTracking(pod)) return;
  const { name, namespace, uid } = pod.metadata;
  const body = {
    metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] },
  };
  try {
    await client.patch<Pod>(resources.pods, name, { type: 'strategic', body }, { namespace });
  } catch (error) {
    // Another pod of the name by now: a patch that changes the uid is refused.
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
