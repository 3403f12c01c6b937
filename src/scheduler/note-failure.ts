import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { Pod, PodCondition } from '#schema/types.ts';
import { eventNote } from './diagnosis.ts';
import type { QueuedPod } from './queue/scheduling-queue.ts';

/** Why a pod has no node, and the node it was promised: '' takes a promise back. */
export interface FailureNote {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  readonly nominatedNodeName?: string | undefined;
}

/** Writes the FailedScheduling event and the PodScheduled condition; nothing when they say so. */
export async function noteFailure(
  parts: { client: Client; events: EventRecorder; clock: Clock; log: Logger },
  queued: QueuedPod,
  note: FailureNote,
): Promise<void> {
  const { client, events, clock, log } = parts;
  const { reason, message, nominatedNodeName } = note;
  const { pod } = queued.pod;
  events.event(pod, 'Warning', 'FailedScheduling', eventNote(message), { action: 'Scheduling' });
  const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const isNoted = known?.status === 'False' && known.reason === reason && known.message === message;
  const nominated = pod.status?.nominatedNodeName ?? '';
  const isNominated = nominatedNodeName === undefined || nominatedNodeName === nominated;
  if (isNoted && isNominated) return;
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    observedGeneration: pod.metadata.generation,
    lastTransitionTime:
      known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.now()),
  };
  const nomination = isNominated
    ? {}
    : { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName };
  const body = {
    metadata: { uid: pod.metadata.uid },
    status: { conditions: [condition], ...nomination },
  };
  try {
    await client.patch(
      resources.pods,
      pod.metadata.name,
      { type: 'strategic', body },
      { namespace: pod.metadata.namespace, subresource: 'status' },
    );
  } catch (error) {
    if (hasReason(error, 'NotFound')) return;
    log.warning('Cannot note why a pod waits', { pod: queued.key, error: messageOf(error) });
  }
}

/**
 * Writes the node that the pod is going to, for those who would like to know before it is bound.
 * Answers the pod that says so; a failure is told in the log and holds nothing up.
 */
export async function noteExpectedNode(
  parts: { client: Client; log: Logger },
  { key, pod: { pod } }: QueuedPod,
  nodeName: string,
): Promise<Pod | undefined> {
  const { name, namespace, uid } = pod.metadata;
  if (pod.status?.nominatedNodeName === nodeName) return pod;
  const body = { metadata: { uid }, status: { nominatedNodeName: nodeName } };
  const options = { namespace, subresource: 'status' };
  try {
    return await parts.client.patch<Pod>(resources.pods, name, { type: 'merge', body }, options);
  } catch (error) {
    parts.log.warning('Cannot note where a pod is going', { pod: key, error: messageOf(error) });
    return undefined;
  }
}
