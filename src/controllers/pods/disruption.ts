import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { isPodFinished } from './pod-state.ts';

/**
 * Notes on the pod why it is about to be ended, before it is. Only what changes is sent, so that it
 * does not meet what a kubelet writes meanwhile. A pod that is gone is fine.
 */
export async function markDisrupted(options: {
  client: Client;
  pod: Pod;
  reason: string;
  message: string;
  phase?: string;
  nowMs: number;
}): Promise<void> {
  const { client, pod, reason, message, phase, nowMs } = options;
  const { name, namespace, uid, generation } = pod.metadata;
  const type = 'DisruptionTarget';
  const old = pod.status?.conditions?.find((condition) => condition.type === type);
  const isNoted = old?.status === 'True' && old.reason === reason && old.message === message;
  if (isNoted && (phase === undefined || pod.status?.phase === phase)) return;
  const isObserved = (pod.status?.observedGeneration ?? 0) > 0;
  const lastTransitionTime = old?.status === 'True' ? old.lastTransitionTime : formatTime(nowMs);
  const condition = {
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime,
    ...(isObserved ? { observedGeneration: generation } : {}),
  };
  const status = { ...(phase === undefined ? {} : { phase }), conditions: [condition] };
  await patchStatus(client, name, namespace, { metadata: { uid }, status });
}

/** Ends a pod that no kubelet will end: its phase says so first. A pod that is gone is fine. */
export async function endPod(client: Client, pod: Pod): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  if (!isPodFinished(pod)) {
    await patchStatus(client, name, namespace, { metadata: { uid }, status: { phase: 'Failed' } });
  }
  await deletePod(client, pod, 0);
}

async function patchStatus(
  client: Client,
  name: string,
  namespace: string | undefined,
  body: object,
): Promise<void> {
  const options = { namespace, subresource: 'status' };
  try {
    await client.patch<Pod>(resources.pods, name, { type: 'strategic', body }, options);
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
