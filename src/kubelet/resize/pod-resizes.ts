import { podQosClass, podRequests } from '#schema/pods/mod.ts';
import type { Node, Pod, PodCondition } from '#schema/types.ts';
import { runtimeAnnotations, specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { latestContainer } from '../pods/runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from '../pods/runtime-pod.ts';
import {
  allocationOf,
  changedResources,
  isSameAllocation,
  largerAllocation,
  withAllocation,
} from './allocation.ts';
import type { Allocation, Resources } from './allocation.ts';
import type { ActuatedContainer, AllocationStore } from './allocation-store.ts';
import { refuseResize } from './resize-decision.ts';
import type { ResizeLimits, ResizeRefusal } from './resize-decision.ts';
import { resizeMessage } from './resize-messages.ts';

type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** Decides on resizes of pods and remembers what is given to them. */
export interface PodResizes {
  /**
   * Takes note of a pod as its source has it and answers it with the resources it is given: those
   * it asks for when it is new or the node has room, else those it had before.
   */
  observe(pod: Pod, runtimePod: RuntimePod): Pod;
  /** Something of the node got free: looks again at deferred resizes, the most important first. */
  retryDeferred(): void;
  /** The conditions that tell of a resize. */
  findings(uid: string): Finding[];
  /** What a running container has to be given: nothing, new limits, or a restart. */
  changeOf(container: AnyContainer, status: RuntimeContainer): 'update' | 'restart' | undefined;
  /** What a container runs with; undefined when that is not known. */
  actuated(status: RuntimeContainer): Resources | undefined;
  /** The runtime took new limits of a container. */
  updated(uid: string, container: ActuatedContainer): void;
  isInProgress(uid: string): boolean;
  /** The pod as its cgroup must be while some containers have the old and some the new limits. */
  whileInProgress(pod: Pod): Pod;
  /** Everything of the pod is as it should be. */
  completed(pod: Pod): void;
  failed(pod: Pod, message: string): void;
  forget(uid: string): void;
}

interface Entry {
  /** The pod as its source has it. */
  wanted: Pod;
  allocation: Allocation;
  pending: ResizeRefusal | undefined;
  /** Which wait began before which. */
  waitingNumber: number;
  progress: { before: Allocation; error: string } | undefined;
}

export function createPodResizes(options: {
  store: AllocationStore;
  events: PodEvents;
  node: () => Node | undefined;
  /** The pods that take resources of the node, as they were allocated, in no order. */
  active: () => readonly Pod[];
  limits?: ResizeLimits | undefined;
  /** A deferred resize was granted: the pod with its new resources. */
  onGranted: (pod: Pod) => void;
}): PodResizes {
  const { store, events } = options;
  const entries = new Map<string, Entry>();
  let waitingCount = 0;

  const grant = (entry: Entry, uid: string): void => {
    const { wanted } = entry;
    entry.progress = { before: entry.progress?.before ?? entry.allocation, error: '' };
    entry.allocation = allocationOf(wanted);
    entry.pending = undefined;
    store.allocate(uid, entry.allocation);
    events.pod(wanted, 'Normal', 'ResizeStarted', resizeMessage('started', wanted));
  };
  const decide = (entry: Entry, uid: string): boolean => {
    const node = options.node();
    if (node === undefined) return false;
    const others = options.active().filter((other) => uidOf(other) !== uid);
    const { wanted: pod, allocation: before } = entry;
    const refusal = refuseResize({ pod, before, node, others, limits: options.limits });
    if (refusal === undefined) {
      grant(entry, uid);
      return true;
    }
    const { reason, message } = refusal;
    if (entry.pending?.reason !== reason || entry.pending.message !== message) {
      const text = resizeMessage(reason, entry.wanted, message);
      events.pod(entry.wanted, 'Warning', `Resize${reason}`, text);
    }
    if (entry.pending === undefined) {
      waitingCount += 1;
      entry.waitingNumber = waitingCount;
    }
    entry.pending = refusal;
    return false;
  };

  const retryDeferred = (): void => {
    const waiting = [...entries].filter(([, { pending }]) => pending?.reason === 'Deferred');
    waiting.sort(([, a], [, b]) => retryOrder(a, b));
    for (const [uid, entry] of waiting) {
      if (decide(entry, uid)) options.onGranted(withAllocation(entry.wanted, entry.allocation));
    }
  };

  return {
    observe(pod, runtimePod) {
      const uid = uidOf(pod);
      let entry = entries.get(uid);
      if (entry === undefined) {
        const allocation = store.allocated(uid) ?? startedWith(pod, runtimePod);
        entry = {
          wanted: pod,
          allocation,
          pending: undefined,
          waitingNumber: 0,
          progress: undefined,
        };
        entries.set(uid, entry);
      } else {
        const isSeen = entry.wanted.metadata.generation === pod.metadata.generation;
        entry.wanted = pod;
        if (isSeen && pod.metadata.generation !== undefined) {
          return withAllocation(pod, entry.allocation);
        }
      }
      const isGoing = pod.metadata.deletionTimestamp !== undefined;
      if (isSameAllocation(allocationOf(pod), entry.allocation)) entry.pending = undefined;
      else if (!isGoing) decide(entry, uid);
      return withAllocation(pod, entry.allocation);
    },
    retryDeferred,
    findings(uid) {
      const { pending, progress } = entries.get(uid) ?? {};
      const findings: Finding[] = [];
      if (pending !== undefined) {
        findings.push({ type: 'PodResizePending', status: 'True', ...pending });
      }
      if (progress !== undefined) {
        const error = progress.error === '' ? {} : { reason: 'Error', message: progress.error };
        findings.push({ type: 'PodResizeInProgress', status: 'True', ...error });
      }
      return findings;
    },
    changeOf(container, status) {
      const actuated = store.actuated(status.id) ?? annotatedResources(status);
      if (actuated === undefined) return undefined;
      const changed = changedResources(actuated, container.resources);
      if (changed.length === 0) return undefined;
      const isRestart = (container.resizePolicy ?? []).some(
        ({ resourceName, restartPolicy }) =>
          restartPolicy === 'RestartContainer' && changed.some((name) => name === resourceName),
      );
      return isRestart ? 'restart' : 'update';
    },
    actuated: (status) => store.actuated(status.id) ?? annotatedResources(status),
    updated: (uid, container) => store.actuate(uid, container),
    isInProgress: (uid) => entries.get(uid)?.progress !== undefined,
    whileInProgress(pod) {
      const { progress, allocation } = entries.get(uidOf(pod)) ?? {};
      if (progress === undefined || allocation === undefined) return pod;
      return withAllocation(pod, largerAllocation(progress.before, allocation));
    },
    completed(pod) {
      const entry = entries.get(uidOf(pod));
      if (entry?.progress === undefined) return;
      entry.progress = undefined;
      events.pod(pod, 'Normal', 'ResizeCompleted', resizeMessage('completed', pod));
      // It may have given something back.
      retryDeferred();
    },
    failed(pod, message) {
      const entry = entries.get(uidOf(pod));
      if (entry === undefined) return;
      if (entry.progress?.error !== message) {
        events.pod(pod, 'Warning', 'ResizeError', resizeMessage('error', pod, message));
      }
      entry.progress = { before: entry.progress?.before ?? entry.allocation, error: message };
    },
    forget(uid) {
      entries.delete(uid);
      store.forget(uid);
    },
  };
}

/** As upstream: those that take no more first, then by priority, QoS class and length of the wait. */
function retryOrder(a: Entry, b: Entry): number {
  const takesMore = ({ wanted, allocation }: Entry): number => {
    const [after, before] = [podRequests(wanted), podRequests(withAllocation(wanted, allocation))];
    const isMore = (['cpu', 'memory'] as const).some(
      (name) => (after.get(name) ?? 0) > (before.get(name) ?? 0),
    );
    return isMore ? 1 : 0;
  };
  const priority = ({ wanted }: Entry): number => specOf(wanted).priority ?? 0;
  const isBurstable = ({ wanted }: Entry): number =>
    podQosClass(wanted.spec) === 'Guaranteed' ? 0 : 1;
  return (
    takesMore(a) - takesMore(b) ||
    priority(b) - priority(a) ||
    isBurstable(a) - isBurstable(b) ||
    a.waitingNumber - b.waitingNumber
  );
}

/** What the containers that are there were started with; what the pod asks for without any. */
function startedWith(pod: Pod, runtimePod: RuntimePod): Allocation {
  const wanted = allocationOf(pod);
  if (runtimePod.containers.length === 0) return wanted;
  const containers = Object.entries(wanted.containers).map(([name, resources]) => {
    const status = latestContainer(runtimePod, name);
    const started = status === undefined ? undefined : annotatedResources(status);
    return [name, started ?? resources];
  });
  return { ...wanted, containers: Object.fromEntries(containers) };
}

function annotatedResources({ annotations }: RuntimeContainer): Resources | undefined {
  const text = annotations[runtimeAnnotations.resources];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Resources;
  } catch {
    return undefined;
  }
}
