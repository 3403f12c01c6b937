import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { traceMark } from '#base/trace.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { removePodLogs } from '../logs/log-links.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import type { StatusPublisher } from '../status/status-publisher.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import { isStaticPod, namespaceOf, podKey, specOf, uidOf } from './names.ts';
import type { PodContext } from './pod-context.ts';
import { removeFromRuntime, stopPod } from './pod-stopper.ts';
import { syncPod } from './pod-sync.ts';
import type { PodState, PodSteps } from './pod-worker.ts';

const deadlineVerdict: PodVerdict = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

const tellAfterMs = 1_000;

/** The steps of workers, and what follows when the last of them is done. */
export interface AllPodSteps extends PodSteps {
  /** Deletes the API object of a pod that is over when that is asked for, then its last traces. */
  finish(state: PodState): Promise<void>;
}

export interface PodStepsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly context: PodContext;
  readonly writer: StatusWriter;
  readonly publisher: StatusPublisher;
  readonly traces: {
    /** Uids of pods that nobody asked for: the API knows nothing of them. */
    readonly orphans: Set<string>;
    /** Uids of pods that their source has no more. */
    readonly removed: Set<string>;
  };
  /** Nothing of the pod is left. */
  readonly onErased: (uid: string) => void;
}

/** Connects each step of a pod's life with those who do it. */
export function createPodSteps(options: PodStepsOptions): AllPodSteps {
  const { client, clock, context, writer, publisher } = options;
  const { orphans, removed } = options.traces;
  const { volumes, cgroups, events, probes } = context;

  const handOver = async (state: PodState): Promise<void> => {
    if (orphans.has(uidOf(state.pod)) || state.stage === 'finished') return;
    await publisher.publish(state);
  };
  const publish = (state: PodState): void => void handOver(state);
  const finish = async (state: PodState): Promise<void> => {
    const uid = uidOf(state.pod);
    if (state.pod.metadata.deletionTimestamp !== undefined && !isStaticPod(state.pod)) {
      await deleteFromApi(client, state.pod);
      removed.add(uid);
    }
    if (!removed.has(uid)) return;
    await removeFromRuntime(uid, context);
    await removePodLogs(state.pod, context.hostPaths);
    context.crashBackOff.forget(`${uid}_`);
    context.resizes.forget(uid);
    context.userNamespaces.release(uid);
    writer.forget(uid);
    removed.delete(uid);
    orphans.delete(uid);
    options.onErased(uid);
  };

  return {
    publish,
    finish,
    deadline: (state) => deadlineOf(state, writer.reported(state.pod).startTime, clock.now()),
    isOver: (state) => {
      const { phase } = publisher.compute(state);
      return phase === 'Failed' || phase === 'Succeeded';
    },
    sync(state, signal) {
      const { pod, memory } = state;
      return syncPod({ pod, memory, signal, publish: () => handOver(state) }, context);
    },
    async terminate(state, graceSeconds, signal) {
      const uid = uidOf(state.pod);
      if (state.verdict === deadlineVerdict) {
        events.pod(state.pod, 'Normal', 'DeadlineExceeded', deadlineVerdict.message);
      }
      probes.stopLivenessAndStartup(uid);
      // Most pods are gone before there is anything new to tell; their end is told once.
      if (state.verdict !== undefined) publish(state);
      const telling = clock.after(tellAfterMs, () => publish(state));
      try {
        await stopPod(state.pod, { graceSeconds, signal }, context);
      } finally {
        telling.cancel();
      }
      probes.removePod(uid);
    },
    async cleanUp(state) {
      const uid = uidOf(state.pod);
      context.resizes.retryDeferred();
      if (!orphans.has(uid)) await publisher.publish(state);
      await Promise.all([volumes.unmount(uid), cgroups.remove(uid), writer.flushed(uid)]);
      context.puller.forgetPod(uid);
      await finish(state);
    },
  };
}

async function deleteFromApi(client: Client, pod: Pod): Promise<void> {
  traceMark('pod.delete', () => ({ key: podKey(pod), uid: uidOf(pod) }));
  try {
    await client.delete(resources.pods, pod.metadata.name, {
      namespace: namespaceOf(pod),
      gracePeriodSeconds: 0,
      preconditions: { uid: uidOf(pod) },
    });
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}

function deadlineOf(
  { pod }: PodState,
  startTime: string | undefined,
  nowMs: number,
): { leftMs: number; verdict: PodVerdict } | undefined {
  const { activeDeadlineSeconds } = specOf(pod);
  if (activeDeadlineSeconds === undefined) return undefined;
  const startMs = startTime === undefined ? nowMs : Date.parse(startTime);
  const leftMs = startMs + activeDeadlineSeconds * 1000 - nowMs;
  return { leftMs, verdict: deadlineVerdict };
}
