import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';

/** Notes on the pod why it is about to be ended, before it is. A pod that is gone is fine. */
export async function markDisrupted(options: {
  client: Client;
  pod: Pod;
  reason: string;
  message: string;
  phase?: string;
  nowMs: number;
}): Promise<void> {
  const { client, pod, reason, message, phase, nowMs } = options;
  const type = 'DisruptionTarget';
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== type);
  const lastTransitionTime = formatTime(nowMs);
  const condition = { type, status: 'True', reason, message, lastTransitionTime };
  const status = {
    ...pod.status,
    ...(phase === undefined ? {} : { phase }),
    conditions: [...others, condition],
  };
  const { namespace } = pod.metadata;
  try {
    const writeOptions = { namespace, subresource: 'status' };
    await client.update<Pod>(resources.pods, { ...pod, status }, writeOptions);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}

/** A pod that is gone already, or another one by now, is fine. */
export async function deletePod(
  client: Client,
  pod: Pod,
  gracePeriodSeconds?: number,
): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const preconditions = { uid };
  try {
    await client.delete(resources.pods, name, { namespace, gracePeriodSeconds, preconditions });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
