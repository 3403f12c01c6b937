import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { traced, traceMark } from '#base/trace.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { createClusterCache } from './cache/cluster-cache.ts';
import { failureMessage } from './diagnosis.ts';
import { filterWithNominated } from './filter-with-nominated.ts';
import { followNodes, followPods } from './follow-cluster.ts';
import { noLookups } from './framework/lookups.ts';
import type { ClusterLookups } from './framework/lookups.ts';
import type { ClusterEvent, CycleState } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import { isSuccess } from './framework/status.ts';
import type { Status } from './framework/status.ts';
import { noteFailure } from './note-failure.ts';
import type { FailureNote } from './note-failure.ts';
import { createPlacement } from './place-pod.ts';
import type { Placement } from './place-pod.ts';
import { defaultProfile } from './plugins/registry.ts';
import { NominatedPods } from './queue/nominated-pods.ts';
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
  /** Objects that are neither pods nor nodes; absent: plugins know nothing of them. */
  readonly lookups?: ClusterLookups | undefined;
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
  const lookups = options.lookups ?? noLookups;
  const parts = { client, events, lookups, clock, random: options.random };
  const profiles = new Map(
    (options.profiles ?? [defaultProfile(parts)]).map((profile) => [
      profile.schedulerName,
      profile,
    ]),
  );
  const cache = createClusterCache();
  const nominated = new NominatedPods();
  const place = createPlacement({ random: options.random, nominated });
  const profileOf = (pod: Pod): Profile | undefined =>
    profiles.get(pod.spec?.schedulerName ?? 'default-scheduler');
  let isRunning = false;

  const queue = createSchedulingQueue({
    clock,
    // all profiles share one queue, and so one order: validated to be the same
    less: (a, b) => [...profiles.values()][0]?.less(a, b) ?? 0,
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
      refuse(profile, state, queued, placement);
      return;
    }
    traceMark('pod.place', () => ({ key: `pods/${key}`, detail: nodeName }));
    cache.assume(pod, nodeName);
    void bind(profile, state, queued, nodeName);
  };

  /** No node fits: perhaps one can be made to; else the pod waits for something to happen. */
  const refuse = (
    profile: Profile,
    state: CycleState,
    queued: QueuedPod,
    placement: Extract<Placement, { nodeName: undefined }>,
  ): void => {
    const { statuses, preFilterStatus } = placement;
    const outcome =
      cache.nodes.length === 0
        ? undefined
        : profile.postFilter(state, queued.pod, {
            snapshot: cache,
            statuses,
            schedulerName: profile.schedulerName,
            filter: (own, pod, node) =>
              filterWithNominated({ profile, state: own, pod, node, nominated }),
            addPod: profile.addPod,
            removePod: profile.removePod,
          });
    const postFilterText = outcome?.status.reasons.join(', ') ?? '';
    const message = failureMessage({
      nodeCount: cache.nodes.length,
      statuses: statuses.values(),
      preFilterMessage: preFilterStatus?.reasons.join(', '),
      postFilterMessage: postFilterText === '' ? undefined : postFilterText,
    });
    const all = preFilterStatus === undefined ? [...statuses.values()] : [preFilterStatus];
    const refusedBy = new Set(all.map((status) => status.plugin ?? ''));
    // Without nodes nobody refused: any new node may help.
    if (cache.nodes.length === 0) refusedBy.add('NodeName');
    if (outcome?.nominatedNodeName !== undefined) {
      nominated.nominate(queued.pod, outcome.nominatedNodeName);
      refusedBy.add('DefaultPreemption');
    } else if (outcome?.clearsNomination === true) {
      nominated.remove(queued.key);
    }
    queue.markUnschedulable(queued, refusedBy);
    const nomination = outcome?.nominatedNodeName ?? (outcome?.clearsNomination ? '' : undefined);
    const noted = recordFailure(queued, 'Unschedulable', message, nomination);
    if (outcome?.commit !== undefined) void preempt(queued, noted, outcome.commit);
  };

  const preempt = async (
    queued: QueuedPod,
    noted: Promise<void>,
    commit: () => Promise<void>,
  ): Promise<void> => {
    try {
      // The promise is written first: a restart must not give the room to somebody else.
      await noted;
      await commit();
    } catch (error) {
      log.warning('Preemption failed', { pod: queued.key, error: messageOf(error) });
      nominated.remove(queued.key);
      moveFor('AssignedPod/Delete');
    }
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
      profile.postBind(state, pod, nodeName);
      return;
    }
    cache.forget(key);
    profile.unreserve(state, pod, nodeName);
    const message = status?.reasons.join(', ') ?? '';
    log.warning('Binding failed', { pod: key, node: nodeName, reason: message });
    void recordFailure(queued, 'SchedulerError', message);
    queue.markFailed(queued);
    queue.moveFor('AssignedPod/Delete');
  };

  const recordFailure = (
    queued: QueuedPod,
    reason: FailureNote['reason'],
    message: string,
    nominatedNodeName?: string,
  ): Promise<void> =>
    noteFailure({ client, events, clock, log }, queued, { reason, message, nominatedNodeName });

  const moveFor = (...happened: ClusterEvent[]): void => {
    for (const event of happened) queue.moveFor(event);
  };
  lookups.onEvent(moveFor);
  followNodes(options.nodes, cache, moveFor);
  followPods({
    pods: options.pods,
    cache,
    queue,
    nominated,
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
  const reserved = profile.reserve(state, pod, nodeName);
  if (!isSuccess(reserved)) return reserved;
  const allowed = await profile.permitAndPreBind(state, pod, nodeName);
  return isSuccess(allowed) ? await profile.bind(state, pod, nodeName) : allowed;
}

function retryEventsOf(profiles: readonly Profile[]): (plugin: string) => readonly ClusterEvent[] {
  const events = new Map<string, readonly ClusterEvent[]>();
  for (const { plugins } of profiles) {
    for (const { name, retryOn } of plugins) events.set(name, retryOn ?? []);
  }
  return (name) => events.get(name) ?? [];
}
