import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { podCondition } from '../pods/pod-state.ts';

/** Says on behalf of a silent node that its pods are not ready, so that services leave them out. */
export async function markPodsNotReady(options: {
  client: Client;
  events: EventRecorder;
  pods: readonly Pod[];
  nowMs: number;
}): Promise<void> {
  const { client, events, pods, nowMs } = options;
  for (const pod of pods) {
    const ready = podCondition(pod, 'Ready');
    if (ready?.status !== 'True') continue;
    const changed = { ...ready, status: 'False', lastTransitionTime: formatTime(nowMs) };
    const { conditions = [] } = pod.status ?? {};
    const status = {
      ...pod.status,
      conditions: conditions.map((condition) => (condition === ready ? changed : condition)),
    };
    const { namespace } = pod.metadata;
    const writeOptions = { namespace, subresource: 'status' };
    try {
      await client.update<Pod>(resources.pods, { ...pod, status }, writeOptions);
    } catch (error) {
      // Gone or newer: the next round looks again.
      if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) continue;
      throw error;
    }
    events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}
