import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { traced, traceMark } from '#base/trace.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import type { Node, Pod, PodCondition } from '#schema/types.ts';
import { createClusterCache } from './cache/cluster-cache.ts';
import { nodeEvents } from './cluster-events.ts';
import { eventNote, failureMessage } from './diagnosis.ts';
import { createPodInfo } from './framework/node-info.ts';
import type { ClusterEvent, CycleState, QueuedPodOrder } from './framework/plugin.ts';
import { createProfile } from './framework/profile.ts';
import type { Profile } from './framework/profile.ts';
import { isSuccess } from './framework/status.ts';
import type { Status } from './framework/status.ts';
import { createPlacement } from './place-pod.ts';
import type { Placement } from './place-pod.ts';
import { defaultPlugins } from './plugins/registry.ts';
import { createSchedulingQueue } from './queue/scheduling-queue.ts';
import type { QueuedPod } from './queue/scheduling-queue.ts';

/** Pods placed before other work of the event loop gets its turn. */
const podsPerTurn = 50;

export interface SchedulerOptions {
  readonly client: Client;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Profiles by schedulerName; only upstream's default one when absent. */
  readonly profiles?: readonly Profile[] | undefined;
}

export interface Scheduler {
  /** Pods that wait for a node. */
  readonly pendingPods: number;
}

/**
 * Watches for pods without a node and binds each to the best one. Placing is synchronous and one
 * pod at a time, as upstream; binding runs beside it, and the pod counts as placed meanwhile.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { client, clock, events, log, signal } = options;
  const profiles = new Map(
    (options.profiles ?? [createProfile('default-scheduler', defaultPlugins(client))]).map(
      (profile) => [profile.schedulerName, profile],
    ),
  );
  const cache = createClusterCache();
  const place = createPlacement({ random: options.random });
  const profileOf = (pod: Pod): Profile | undefined =>
    profiles.get(pod.spec?.schedulerName ?? 'default-scheduler');
  let isRunning = false;

  const queue = createSchedulingQueue({
    clock,
    less: sortOf([...profiles.values()]),
    isGated: (pod) => !isSuccess(profileOf(pod.pod)?.preEnqueue(pod)),
    eventsOf: retryEventsOf([...profiles.values()]),
    onReady: () => {
      if (isRunning) return;
      isRunning = true;
      // Events of one turn are gathered first: a burst of pods is sorted before it is placed.
      setImmediate(run);
    },
  });
  signal.addEventListener('abort', () => queue.close(), { once: true });

  const run = (): void => {
    isRunning = false;
    for (let count = 0; count < podsPerTurn && !signal.aborted; count++) {
      const queued = queue.pop();
      if (queued === undefined) return;
      scheduleOne(queued);
    }
    if (signal.aborted) return;
    isRunning = true;
    setImmediate(run);
  };

  const scheduleOne = (queued: QueuedPod): void => {
    const { pod, key } = queued;
    const profile = profileOf(pod.pod);
    if (profile === undefined || pod.pod.metadata.deletionTimestamp !== undefined) {
      queue.done(key);
      return;
    }
    const state: CycleState = new Map();
    let placement: Placement;
    try {
      placement = place(profile, state, pod, cache);
    } catch (error) {
      void recordFailure(queued, 'SchedulerError', messageOf(error));
      queue.markFailed(queued);
      return;
    }
    const { nodeName } = placement;
    if (nodeName === undefined) {
      refuse(queued, placement);
      return;
    }
    traceMark('pod.place', () => ({ key: `pods/${key}`, detail: nodeName }));
    cache.assume(pod, nodeName);
    void bind(profile, state, queued, nodeName);
  };

  const refuse = (
    queued: QueuedPod,
    placement: Extract<Placement, { nodeName: undefined }>,
  ): void => {
    const { statuses, preFilterStatus } = placement;
    const message = failureMessage({
      nodeCount: cache.nodes.length,
      statuses: statuses.values(),
      preFilterMessage: preFilterStatus?.reasons.join(', '),
    });
    const all = preFilterStatus === undefined ? [...statuses.values()] : [preFilterStatus];
    const refusedBy = new Set(all.map((status) => status.plugin ?? ''));
    // Without nodes nobody refused: any new node may help.
    if (cache.nodes.length === 0) refusedBy.add('NodeName');
    queue.markUnschedulable(queued, refusedBy);
    void recordFailure(queued, 'Unschedulable', message);
  };

  const bind = async (
    profile: Profile,
    state: CycleState,
    queued: QueuedPod,
    nodeName: string,
  ): Promise<void> => {
    const { pod, key } = queued;
    const subject = { key: `pods/${key}`, uid: pod.pod.metadata.uid, detail: nodeName };
    const status = await traced('pod.bind', subject, () =>
      runBinding(profile, state, queued, nodeName),
    );
    if (isSuccess(status)) {
      queue.done(key);
      events.event(pod.pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${nodeName}`);
      for (const plugin of profile.plugins) plugin.postBind?.(state, pod, nodeName);
      return;
    }
    cache.forget(key);
    for (const plugin of profile.plugins) plugin.unreserve?.(state, pod, nodeName);
    const message = status?.reasons.join(', ') ?? '';
    log.warning('Binding failed', { pod: key, node: nodeName, reason: message });
    void recordFailure(queued, 'SchedulerError', message);
    queue.markFailed(queued);
    queue.moveFor('AssignedPod/Delete');
  };

  const recordFailure = async (
    queued: QueuedPod,
    reason: 'Unschedulable' | 'SchedulerError',
    message: string,
  ): Promise<void> => {
    const { pod } = queued.pod;
    events.event(pod, 'Warning', 'FailedScheduling', eventNote(message));
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (known?.status === 'False' && known.reason === reason && known.message === message) return;
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      observedGeneration: pod.metadata.generation,
      lastTransitionTime:
        known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.now()),
    };
    const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
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
  };

  const moveFor = (...happened: ClusterEvent[]): void => {
    for (const event of happened) queue.moveFor(event);
  };
  followNodes(options.nodes, cache, moveFor);
  followPods({
    pods: options.pods,
    cache,
    queue,
    moveFor,
    isOurs: (pod) => profileOf(pod) !== undefined,
  });
  return {
    get pendingPods() {
      return queue.size;
    },
  };
}

/** Reserve, Permit, PreBind and Bind; the first that refuses ends it. */
async function runBinding(
  profile: Profile,
  state: CycleState,
  { pod }: QueuedPod,
  nodeName: string,
): Promise<Status | undefined> {
  for (const plugin of profile.plugins) {
    const status = plugin.reserve?.(state, pod, nodeName);
    if (!isSuccess(status)) return status;
  }
  for (const point of ['permit', 'preBind'] as const) {
    for (const plugin of profile.plugins) {
      const status = await plugin[point]?.(state, pod, nodeName);
      if (!isSuccess(status)) return status;
    }
  }
  for (const plugin of profile.plugins) {
    if (plugin.bind === undefined) continue;
    const status = await plugin.bind(state, pod, nodeName);
    if (status?.code !== 'Skip') return status;
  }
  return { code: 'Error', reasons: ['no bind plugin took the pod'] };
}

function followNodes(
  nodes: Informer<Node>,
  cache: ReturnType<typeof createClusterCache>,
  moveFor: (...events: ClusterEvent[]) => void,
): void {
  nodes.addHandler({
    onAdd(node) {
      cache.setNode(node);
      moveFor('Node/Add');
    },
    onUpdate(before, node) {
      cache.setNode(node);
      moveFor(...nodeEvents(before, node));
    },
    onDelete: (node) => cache.removeNode(node.metadata.name),
  });
}

function followPods(options: {
  pods: Informer<Pod>;
  cache: ReturnType<typeof createClusterCache>;
  queue: ReturnType<typeof createSchedulingQueue>;
  moveFor: (...events: ClusterEvent[]) => void;
  isOurs: (pod: Pod) => boolean;
}): void {
  const { pods, cache, queue, moveFor, isOurs } = options;
  const see = (pod: Pod, isNew: boolean): void => {
    const key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    if ((pod.spec?.nodeName ?? '') !== '') {
      queue.remove(key);
      cache.setPod(pod);
      moveFor(isNew ? 'AssignedPod/Add' : 'AssignedPod/Update');
      const phase = pod.status?.phase;
      if (phase === 'Succeeded' || phase === 'Failed') moveFor('AssignedPod/Delete');
      return;
    }
    if (!isOurs(pod) || cache.isAssumed(key)) return;
    if (pod.metadata.deletionTimestamp === undefined) queue.add(createPodInfo(pod));
    else queue.remove(key);
  };
  pods.addHandler({
    onAdd: (pod) => see(pod, true),
    onUpdate(before, pod) {
      const isStatusOnly =
        (pod.spec?.nodeName ?? '') === '' &&
        before.metadata.generation === pod.metadata.generation &&
        before.metadata.deletionTimestamp === pod.metadata.deletionTimestamp;
      // Our own note of why it waits must not bring the pod back.
      if (!isStatusOnly) see(pod, (before.spec?.nodeName ?? '') === '');
    },
    onDelete(pod) {
      const key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
      queue.remove(key);
      cache.removePod(key);
      if ((pod.spec?.nodeName ?? '') !== '') moveFor('AssignedPod/Delete');
    },
  });
}

function sortOf(profiles: readonly Profile[]): (a: QueuedPodOrder, b: QueuedPodOrder) => number {
  for (const { plugins } of profiles) {
    const sorter = plugins.find((plugin) => plugin.less !== undefined);
    if (sorter?.less !== undefined) return (a, b) => sorter.less?.(a, b) ?? 0;
  }
  return (a, b) => a.enqueuedMs - b.enqueuedMs;
}

function retryEventsOf(profiles: readonly Profile[]): (plugin: string) => readonly ClusterEvent[] {
  const events = new Map<string, readonly ClusterEvent[]>();
  for (const { plugins } of profiles) {
    for (const { name, retryOn } of plugins) events.set(name, retryOn ?? []);
  }
  return (name) => events.get(name) ?? [];
}
