import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { PodCondition } from '#schema/types.ts';
import type { PodInfo } from '../../framework/node-info.ts';
import type { Candidate } from './candidates.ts';

/** Marks the victims as disruption targets, deletes them and tells about it; gone ones are fine. */
export async function evictVictims(options: {
  candidate: Candidate;
  preemptor: PodInfo;
  schedulerName: string;
  client: Client;
  events: EventRecorder;
  clock: Clock;
}): Promise<void> {
  const { candidate, preemptor, schedulerName, client, events, clock } = options;
  const evict = async ({ pod }: PodInfo): Promise<void> => {
    const { name, namespace, uid } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${schedulerName}: preempting to accommodate a higher priority pod`,
      observedGeneration: pod.metadata.generation,
      lastTransitionTime: formatTime(clock.now()),
    };
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await client.patch(
        resources.pods,
        name,
        { type: 'strategic', body },
        { namespace, subresource: 'status' },
      );
      await client.delete(resources.pods, name, { namespace });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    const note = `Preempted by pod ${preemptor.pod.metadata.uid ?? ''} on node ${candidate.nodeName}`;
    events.event(pod, 'Normal', 'Preempted', note, {
      action: 'Preempting',
      related: preemptor.pod,
    });
  };
  await Promise.all(candidate.victims.map(evict));
}
