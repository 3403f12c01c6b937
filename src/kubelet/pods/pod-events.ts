import type { EventRecorder } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { fieldPathOf } from './names.ts';
import type { PodContainer } from './names.ts';

/** Events about pods and their containers. */
export interface PodEvents {
  pod(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void;
  container(
    pod: Pod,
    of: PodContainer,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void;
}

export function createPodEvents(recorder: Pick<EventRecorder, 'event'>): PodEvents {
  return {
    pod: (pod, type, reason, message) => recorder.event(asPod(pod), type, reason, message),
    container: (pod, of, type, reason, message) =>
      recorder.event(asPod(pod), type, reason, message, { fieldPath: fieldPathOf(of) }),
  };
}

/** Static pods come without kind; events need one. */
function asPod(pod: Pod): Pod {
  return pod.kind === undefined ? { ...pod, apiVersion: 'v1', kind: 'Pod' } : pod;
}
