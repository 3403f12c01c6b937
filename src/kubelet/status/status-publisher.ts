import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { PodStatus } from '#schema/types.ts';
import { shownMessage, terminationMessage } from '../containers/termination-message.ts';
import { podKey, uidOf } from '../pods/names.ts';
import type { PodState } from '../pods/pod-worker.ts';
import type { RuntimeCache } from '../pods/runtime-cache.ts';
import { isExited } from '../pods/runtime-pod.ts';
import type { ProbeResults } from '../probes/results.ts';
import type { PodResizes } from '../resize/pod-resizes.ts';
import type { HostFiles } from '../volume-host.ts';
import { podStatus } from './pod-status.ts';
import type { StatusWriter } from './status-writer.ts';

/** Computes pod statuses and hands them to the writer. */
export interface StatusPublisher {
  /** The status as it is now; termination messages not read yet are missing. */
  compute(state: PodState): PodStatus;
  /** Reads what is missing, then sends the status if it changed. Resolves when it is handed over. */
  publish(state: PodState): Promise<void>;
}

export function createStatusPublisher(options: {
  clock: Clock;
  log: Logger;
  cache: RuntimeCache;
  probes: () => ProbeResults;
  writer: StatusWriter;
  hostFiles: Pick<HostFiles, 'readTail'>;
  hostIps: () => readonly string[];
  resizes: () => Pick<PodResizes, 'actuated' | 'findings'>;
}): StatusPublisher {
  const { clock, log, cache, writer, hostFiles } = options;
  const compute = ({ pod, memory, verdict, stage }: PodState): PodStatus =>
    podStatus({
      pod,
      reported: writer.reported(pod),
      runtimePod: cache.pod(uidOf(pod)),
      probes: options.probes(),
      startErrors: memory.startErrors,
      terminationMessages: memory.terminationMessages,
      hasVolumes: memory.hasVolumes,
      verdict,
      stage: stage === 'finished' ? 'terminated' : stage,
      hostIps: options.hostIps(),
      nowMs: clock.now(),
      actuated: options.resizes().actuated,
      resizeFindings: options.resizes().findings(uidOf(pod)),
    });

  const readMessages = async ({ pod, memory }: PodState): Promise<void> => {
    const messages = memory.terminationMessages;
    const { containers } = cache.pod(uidOf(pod));
    for (const id of messages.keys()) {
      if (cache.container(id) === undefined) messages.delete(id);
    }
    for (const container of containers.filter(isExited)) {
      if (messages.has(container.id)) continue;
      const own = await terminationMessage(container, { hostFiles });
      messages.set(container.id, shownMessage(pod, container.message, own));
    }
  };

  return {
    compute,
    async publish(state) {
      const hasEnded = cache.pod(uidOf(state.pod)).containers.some(isExited);
      if (hasEnded) {
        await readMessages(state).catch((error: unknown) => {
          log.warning('cannot read a termination message', {
            pod: podKey(state.pod),
            error: messageOf(error),
          });
        });
      }
      writer.set(state.pod, compute(state));
    },
  };
}
