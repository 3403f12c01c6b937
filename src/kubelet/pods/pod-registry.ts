import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { traceMark } from '#base/trace.ts';
import type { Client } from '#client/mod.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { MachineInfo } from '../machine-info.ts';
import { measureSteps } from '../metrics/mod.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import { removeUnknownLogs } from '../logs/log-links.ts';
import type { StatusPublisher } from '../status/status-publisher.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import { rejectedConditions } from '../status/conditions.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { admitPod } from './admission.ts';
import type { Rejection } from './admission.ts';
import { podGraceSeconds } from './container-stopper.ts';
import { preemptedVerdict, victimsFor } from './critical-preemption.ts';
import { isCriticalPod, isMirrorPod, isStaticPod, podKey, uidOf } from './names.ts';
import { orphanPod } from './orphan-pod.ts';
import type { PodContext } from './pod-context.ts';
import { createPodSteps } from './pod-steps.ts';
import { createPodWorker } from './pod-worker.ts';
import type { PodStage, PodState, PodWorker } from './pod-worker.ts';
import { liveContainers } from './runtime-pod.ts';

/** A worker for every pod of this node, from its first sight to its last trace. */
export interface PodRegistry {
  /** A pod as its source has it now: new, changed or asked to go. */
  set(pod: Pod): void;
  /** The source has the pod no more: whatever is left of it goes. */
  remove(uid: string): void;
  /** The runtime's state of this pod changed. */
  runtimeChanged(uid: string): void;
  publish(uid: string): void;
  /** The API's copy of a static pod came or changed: it is to have the pod's status. */
  mirrored(uid: string, mirror: Pod): void;
  /** A deferred resize was granted: the pod with its new resources. */
  resized(pod: Pod): void;
  /** The pods that take resources of this node. */
  active(): Pod[];
  /** Uids of the pods that have devices or processors, or still use them. */
  holders(): ReadonlySet<string>;
  /** Ends a pod for a reason of the node's own: eviction, deadline, shutdown. */
  end(uid: string, verdict: PodVerdict, graceSeconds?: number): void;
  /** From now on pods of the runtime that nobody asked for are stopped and removed. */
  adoptOrphans(): Promise<void>;
  get(uid: string): PodState | undefined;
  states(): PodState[];
  stop(): Promise<void>;
}

export interface PodRegistryOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly context: PodContext;
  readonly writer: StatusWriter;
  readonly publisher: StatusPublisher;
  readonly node: () => Node | undefined;
  readonly machine: Pick<MachineInfo, 'hasAppArmor'>;
  readonly metrics: KubeletMetrics;
  /** A rejection of the node itself: pressure or shutdown. */
  readonly nodeRejection: (pod: Pod) => Rejection | undefined;
}

/** The runtime gets at least so long to end a pod before an event tells that it did not. */
const minEndMs = 10_000;

export function createPodRegistry(options: PodRegistryOptions): PodRegistry {
  const { clock, log, context, writer } = options;
  const { cache, volumes, cgroups, events } = context;
  const workers = new Map<string, PodWorker>();
  const removed = new Set<string>();
  const orphans = new Set<string>();
  /** Static pods that wait for the end of the one whose place they take; by namespace and name. */
  const successors = new Map<string, Pod>();
  let adopts = false;
  let isStopping = false;

  const steps = measureSteps(
    createPodSteps({
      ...options,
      traces: { orphans, removed },
      onErased(uid) {
        workers.delete(uid);
        for (const [key, pod] of successors) {
          if (isStopping || hasPredecessor(pod)) continue;
          successors.delete(key);
          begin(pod);
        }
      },
    }),
    options,
  );
  const { metrics } = options;
  const { publish } = steps;
  /** As upstream: a changed manifest's pod starts when nothing of the old one is left. */
  const hasPredecessor = (pod: Pod): boolean =>
    isStaticPod(pod) &&
    [...workers.values()].some(({ state }) => podKey(state.pod) === podKey(pod));

  const add = (pod: Pod, stage: PodStage): PodWorker => {
    const { syncFrequencyMs } = context.config;
    const worker = createPodWorker({ ...options, pod, stage, steps, syncFrequencyMs });
    workers.set(uidOf(pod), worker);
    return worker;
  };
  const reject = (pod: Pod, rejection: Rejection): void => {
    const { reason, message } = rejection;
    metrics.admissionRejections.with(reason).value += 1;
    events.pod(pod, 'Warning', reason, message);
    writer.set(pod, {
      ...pod.status,
      ...(pod.metadata.generation === undefined
        ? {}
        : { observedGeneration: pod.metadata.generation }),
      startTime: pod.status?.startTime ?? formatTime(clock.now()),
      qosClass: pod.status?.qosClass ?? podQosClass(pod.spec),
      phase: 'Failed',
      conditions: rejectedConditions(pod, clock.now()),
      reason,
      message: `Pod was rejected: ${message}`,
    });
    add(pod, 'finished');
  };
  const active = (): Pod[] =>
    [...workers.values()].filter(({ state }) => takesRoom(state)).map(({ state }) => state.pod);
  /** As the scheduler sees it, or it would send pods that are rejected here. */
  const takesRoom = ({ pod, stage }: PodState): boolean => {
    const uid = uidOf(pod);
    if (stage !== 'syncing' && stage !== 'terminating') return false;
    // Deleted by force, it is gone from the API while it still ends here.
    if (orphans.has(uid) || removed.has(uid)) return false;
    const { phase } = writer.reported(pod);
    const isOver = phase === 'Failed' || phase === 'Succeeded';
    return !isOver || liveContainers(cache.pod(uid)).length > 0;
  };
  /** A pod that the node ends is watched: one that stays too long is told of, as upstream. */
  const endForNode = (uid: string, verdict: PodVerdict, graceSeconds?: number): void => {
    const worker = workers.get(uid);
    if (worker === undefined) return;
    worker.terminate({ verdict, graceSeconds });
    const givenMs = (graceSeconds ?? podGraceSeconds(worker.state.pod)) * 1000;
    clock.after(Math.max(givenMs * 1.5, minEndMs), () => {
      const { pod, stage } = worker.state;
      if (isStopping || stage !== 'terminating') return;
      const message = 'Container runtime did not kill the pod within specified grace period.';
      events.pod(pod, 'Warning', 'ExceededGracePeriod', message);
    });
  };
  const admission = (pod: Pod): Rejection | undefined => {
    const node = options.node();
    if (node === undefined) return undefined;
    const { allowedUnsafeSysctls } = context.config;
    const { hasAppArmor } = options.machine;
    const here = active();
    const rejection =
      options.nodeRejection(pod) ??
      admitPod({ pod, node, active: here, allowedUnsafeSysctls, hasAppArmor });
    if (rejection === undefined || !rejection.reason.startsWith('OutOf') || !isCriticalPod(pod)) {
      return rejection;
    }
    const victims = victimsFor({ pod, node, active: here });
    if (victims === undefined) return rejection;
    for (const victim of victims) {
      metrics.preemptions.with(rejection.reason.slice('OutOf'.length)).value += 1;
      events.pod(victim, 'Warning', preemptedVerdict.reason, preemptedVerdict.message);
      endForNode(uidOf(victim), preemptedVerdict);
    }
    return undefined;
  };
  /** Devices, processors and memory nodes that a pod gets for itself. */
  const reserve = (pod: Pod): Rejection | undefined => context.topology.admit(pod, holders());
  /** After a restart pods are seen one by one: what still runs of others counts, too. */
  const holders = (): ReadonlySet<string> => {
    const uids = new Set(active().map(uidOf));
    for (const { uid } of cache.pods()) {
      if (liveContainers(cache.pod(uid)).length > 0) uids.add(uid);
    }
    return uids;
  };
  const begin = (pod: Pod): void => {
    const uid = uidOf(pod);
    const runtimePod = cache.pod(uid);
    const phase = pod.status?.phase;
    const isOver = phase === 'Failed' || phase === 'Succeeded';
    const hasTraces = runtimePod.sandboxes.length + runtimePod.containers.length > 0;
    if (isOver) {
      // A sandbox that is down may still have its network: the kubelet was killed at that moment.
      add(pod, hasTraces ? 'terminating' : 'terminated').poke();
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      add(pod, 'syncing').terminate({});
    } else {
      // What runs here already was admitted before the kubelet was restarted.
      const rejection = hasTraces ? undefined : (admission(pod) ?? reserve(pod));
      if (rejection !== undefined) {
        reject(pod, rejection);
        return;
      }
      metrics.containersPerPod.with().observe(pod.spec?.containers.length ?? 0);
      add(pod, 'syncing').poke();
    }
  };

  const change = (worker: PodWorker, pod: Pod): void => {
    const uid = uidOf(pod);
    orphans.delete(uid);
    const isGoing = pod.metadata.deletionTimestamp !== undefined;
    const isFresh = isGoing && worker.state.pod.metadata.deletionTimestamp === undefined;
    // The echo of a status that the kubelet wrote is no reason to look at containers again.
    const isSameSpec = isUnchanged(worker.state.pod, pod);
    worker.state.pod = pod;
    if (worker.state.stage === 'finished') {
      if (isFresh) endFinished(worker);
      return;
    }
    if (isGoing) worker.terminate({ graceSeconds: podGraceSeconds(pod) });
    else if (isSameSpec) publish(worker.state);
    else worker.poke();
  };
  const endFinished = ({ state }: PodWorker): void => {
    steps.finish(state).catch((error: unknown) => {
      log.warning('cannot remove a finished pod', {
        pod: podKey(state.pod),
        error: messageOf(error),
      });
      clock.after(5_000, () => {
        const worker = workers.get(uidOf(state.pod));
        if (worker !== undefined && !isStopping) endFinished(worker);
      });
    });
  };

  const adopt = (uid: string): void => {
    if (!adopts || uid === '' || workers.has(uid)) return;
    const runtimePod = cache.pod(uid);
    if (runtimePod.sandboxes.length + runtimePod.containers.length === 0) return;
    const pod = orphanPod(runtimePod);
    log.info('stopping a pod that nobody asks for', { pod: podKey(pod), uid });
    metrics.orphanedPods.with().value += 1;
    orphans.add(uid);
    removed.add(uid);
    add(pod, 'syncing').terminate({});
  };

  /** Directories, cgroups and logs of pods that no list knows any more. */
  const removeLeftovers = async (): Promise<void> => {
    const leftovers = [...(await volumes.podsOnDisk()), ...(await cgroups.list())];
    for (const uid of new Set(leftovers)) {
      if (workers.has(uid)) continue;
      log.info('removing what is left of a pod', { uid });
      await volumes.unmount(uid);
      await cgroups.remove(uid);
    }
    const hasTraces = (uid: string): boolean => {
      const { sandboxes, containers } = cache.pod(uid);
      return sandboxes.length + containers.length > 0;
    };
    const isKnown = (uid: string): boolean => workers.has(uid) || hasTraces(uid);
    for (const directory of await removeUnknownLogs(context.hostPaths, isKnown)) {
      log.info('removed the logs of a pod that is gone', { directory });
    }
  };

  return {
    set(pod) {
      if (isStopping || isMirrorPod(pod)) return;
      traceMark('pod.seen', () => ({ key: podKey(pod), uid: uidOf(pod) }));
      writer.observe(pod);
      const worker = workers.get(uidOf(pod));
      const given = context.resizes.observe(pod, cache.pod(uidOf(pod)));
      if (worker === undefined && hasPredecessor(given)) successors.set(podKey(given), given);
      else if (worker === undefined) begin(given);
      else change(worker, given);
    },
    remove(uid) {
      for (const [key, pod] of successors) if (uidOf(pod) === uid) successors.delete(key);
      const worker = workers.get(uid);
      if (worker === undefined || isStopping) return;
      removed.add(uid);
      if (worker.state.stage === 'finished') endFinished(worker);
      else worker.terminate({ graceSeconds: podGraceSeconds(worker.state.pod) });
    },
    runtimeChanged(uid) {
      const worker = workers.get(uid);
      if (worker === undefined) adopt(uid);
      else if (worker.state.stage === 'syncing') worker.poke();
    },
    resized(pod) {
      const worker = workers.get(uidOf(pod));
      if (worker?.state.stage === 'syncing') worker.update(pod);
    },
    active,
    holders,
    publish(uid) {
      const state = workers.get(uid)?.state;
      if (state !== undefined) publish(state);
    },
    mirrored(uid, { status }) {
      const state = workers.get(uid)?.state;
      if (state === undefined) return;
      writer.observe({ ...state.pod, status });
      publish(state);
    },
    end: endForNode,
    async adoptOrphans() {
      adopts = true;
      for (const { uid } of cache.pods()) adopt(uid);
      await removeLeftovers().catch((error: unknown) => {
        log.warning('cannot remove what is left of pods', { error: messageOf(error) });
      });
    },
    get: (uid) => workers.get(uid)?.state,
    states: () => [...workers.values()].map(({ state }) => state),
    async stop() {
      isStopping = true;
      await Promise.all([...workers.values()].map((worker) => worker.stop()));
    },
  };
}

function isUnchanged(before: Pod, after: Pod): boolean {
  const { generation, labels, annotations } = after.metadata;
  return (
    generation !== undefined &&
    generation === before.metadata.generation &&
    JSON.stringify([labels, annotations]) ===
      JSON.stringify([before.metadata.labels, before.metadata.annotations])
  );
}
