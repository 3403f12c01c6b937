import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { traceMark } from '#base/trace.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { bindPod } from './bind-pod.ts';
import { createClusterCache } from './cache/cluster-cache.ts';
import { createProfiles, defaultConfiguration } from './config/mod.ts';
import type { SchedulerConfiguration } from './config/mod.ts';
import { failureMessage } from './diagnosis.ts';
import { createExtender, narrowVictims } from './extender/mod.ts';
import { filterWithNominated } from './filter-with-nominated.ts';
import { followNodes, followPods } from './follow-cluster.ts';
import { noLookups } from './framework/lookups.ts';
import type { ClusterLookups } from './framework/lookups.ts';
import type { CycleState, PostFilterResult } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import { createPodInfo } from './framework/node-info.ts';
import { isSuccess } from './framework/status.ts';
import { noteExpectedNode, noteFailure } from './note-failure.ts';
import type { FailureNote } from './note-failure.ts';
import { createPlacement } from './place-pod.ts';
import type { Placement, Refusal } from './place-pod.ts';
import type { PluginFactory } from './plugins/registry.ts';
import { meteredProfile } from './framework/metered-profile.ts';
import { NominatedPods } from './queue/nominated-pods.ts';
import { createSchedulingQueue } from './queue/scheduling-queue.ts';
import type { QueuedPod } from './queue/scheduling-queue.ts';
import { createSchedulerMetrics } from './scheduler-metrics.ts';
import type { AttemptResult, SchedulerMetrics } from './scheduler-metrics.ts';

/** Pods placed, and time taken, before other work of the event loop gets its turn. */
const podsPerTurn = 50;
const turnMs = 5;

export interface SchedulerOptions {
  readonly client: Client;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly events: EventRecorder;
  /** Records as the scheduler of a profile; `events` for all when absent. */
  readonly eventsFor?: ((schedulerName: string) => EventRecorder) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Objects that are neither pods nor nodes; absent: plugins know nothing of them. */
  readonly lookups?: ClusterLookups | undefined;
  /** Upstream's defaults when absent. */
  readonly configuration?: SchedulerConfiguration | undefined;
  /** However few events come, a pod is tried again after this time; 5 minutes when absent. */
  readonly maxUnschedulableMs?: number | undefined;
  /** Plugins of the user by name, for profiles that enable them. */
  readonly plugins?: Readonly<Record<string, PluginFactory>> | undefined;
  readonly metrics?: SchedulerMetrics | undefined;
}

export interface Scheduler {
  /** Pods that wait for a node. */
  readonly pendingPods: number;
}

/**
 * Watches for pods without a node and binds each to the best one. One pod is placed at a time, as
 * upstream, and without waiting for anything unless an extender must be asked; binding runs beside
 * it, and the pod counts as placed meanwhile. Throws K3tsError Usage for a configuration that no
 * scheduler can be made of.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { client, clock, log, signal } = options;
  const eventsFor = options.eventsFor ?? (() => options.events);
  const metrics = options.metrics ?? createSchedulerMetrics();
  const lookups = options.lookups ?? noLookups;
  const configuration = options.configuration ?? defaultConfiguration;
  const parts = { client, eventsFor, lookups, clock, random: options.random };
  const made = createProfiles(configuration, parts, options.plugins).map((profile) =>
    meteredProfile(profile, metrics, clock),
  );
  const profiles = new Map(made.map((profile) => [profile.schedulerName, profile]));
  const extenders = configuration.extenders.map((one) => createExtender(one, clock));
  const cache = createClusterCache();
  const nominated = new NominatedPods();
  const place = createPlacement({
    random: options.random,
    nominated,
    extenders,
    percentageOf: percentages(configuration),
    clock,
    onFiltered: (profile, status, seconds) =>
      metrics.extended('Filter', profile.schedulerName, status, seconds),
  });
  const profileOf = (pod: Pod): Profile | undefined =>
    profiles.get(pod.spec?.schedulerName ?? 'default-scheduler');
  let isRunning = false;

  const queue = createSchedulingQueue({
    clock,
    initialBackoffMs: configuration.podInitialBackoffSeconds * 1000,
    maxBackoffMs: configuration.podMaxBackoffSeconds * 1000,
    maxUnschedulableMs: options.maxUnschedulableMs,
    // all profiles share one queue, and so one order: checked to be the same
    less: (a, b) => made[0]?.less(a, b) ?? 0,
    gate: (pod) => profileOf(pod.pod)?.preEnqueue(pod),
    retryRule: (pod, plugin) => profileOf(pod.pod)?.retryRule(plugin),
    onQueued: metrics.queued,
    onReady: () => {
      if (isRunning || signal.aborted) return;
      isRunning = true;
      // Events of one turn are gathered first: a burst of pods is sorted before it is placed.
      setImmediate(run);
    },
  });
  const unwatch = metrics.watch(() => ({
    queue: queue.sizes,
    nodes: cache.nodes.length,
    pods: cache.podCount,
    assumedPods: cache.assumedCount,
  }));
  const end = (): void => {
    queue.close();
    unwatch();
  };
  signal.addEventListener('abort', end, { once: true });

  const run = (): void => {
    const endMs = clock.monotonicMs() + turnMs;
    for (let count = 0; count < podsPerTurn && !signal.aborted; count++) {
      if (count > 0 && clock.monotonicMs() > endMs) break;
      const queued = queue.pop();
      if (queued === undefined) {
        isRunning = false;
        return;
      }
      const waiting = scheduleOne(queued);
      if (waiting === undefined) continue;
      void waiting.finally(() => setImmediate(run));
      return;
    }
    if (!signal.aborted) setImmediate(run);
  };

  /** A promise only when others outside are asked; it never rejects. */
  const scheduleOne = (queued: QueuedPod): Promise<void> | undefined => {
    const { pod, key } = queued;
    const profile = profileOf(pod.pod);
    if (profile === undefined || pod.pod.metadata.deletionTimestamp !== undefined) {
      queue.done(key);
      return undefined;
    }
    const cycle: Cycle = { profile, queued, state: new Map(), startMs: clock.monotonicMs() };
    try {
      const placement = place(profile, cycle.state, pod, cache);
      if (!(placement instanceof Promise)) return settle(cycle, placement);
      return placement
        .then((answer) => settle(cycle, answer))
        .catch((error: unknown) => fail(cycle, messageOf(error)));
    } catch (error) {
      fail(cycle, messageOf(error));
      return undefined;
    }
  };

  const settle = (cycle: Cycle, placement: Placement): Promise<void> | undefined => {
    metrics.searched((clock.monotonicMs() - cycle.startMs) / 1000);
    const { nodeName } = placement;
    if (nodeName === undefined) return refuse(cycle, placement);
    const { pod, key } = cycle.queued;
    traceMark('pod.place', () => ({ key: `pods/${key}`, detail: nodeName }));
    const reserved = cycle.profile.reserve(cycle.state, pod, nodeName);
    if (!isSuccess(reserved)) {
      cycle.profile.unreserve(cycle.state, pod, nodeName);
      fail(cycle, reserved?.reasons.join(', ') ?? '');
      return undefined;
    }
    cache.assume(pod, nodeName);
    queue.markBinding(key);
    void bind(cycle, nodeName);
    return undefined;
  };

  /** No node fits: perhaps one can be made to; else the pod waits for something to happen. */
  const refuse = (cycle: Cycle, refusal: Refusal): Promise<void> | undefined => {
    const { profile, state, queued } = cycle;
    if (refusal.preFilterStatus?.code === 'Error') {
      fail(cycle, refusal.preFilterStatus.reasons.join(', '));
      return undefined;
    }
    if (cache.nodes.length === 0) {
      park(cycle, refusal, undefined);
      return undefined;
    }
    const outcome = profile.postFilter(state, queued.pod, {
      snapshot: cache,
      statuses: refusal.statuses,
      schedulerName: profile.schedulerName,
      nominatedOn: (nodeName) => nominated.on(nodeName),
      narrowVictims: narrowVictims(extenders, queued.pod.pod, cache),
      filter: (own, pod, node) =>
        filterWithNominated({ profile, state: own, pod, node, nominated, isKnownNode: false }),
      addPod: profile.addPod,
      removePod: profile.removePod,
    });
    if (outcome instanceof Promise) {
      return outcome
        .then((result) => park(cycle, refusal, result))
        .catch((error: unknown) => fail(cycle, messageOf(error)));
    }
    park(cycle, refusal, outcome);
    return undefined;
  };

  const park = (cycle: Cycle, refusal: Refusal, outcome: PostFilterResult | undefined): void => {
    const { queued } = cycle;
    const { statuses, preFilterStatus, absentStatus } = refusal;
    const postFilterText = outcome?.status.reasons.join(', ') ?? '';
    const message = failureMessage({
      nodeCount: cache.nodes.length,
      statuses,
      absentStatus,
      preFilterMessage: preFilterStatus?.reasons.join(', '),
      postFilterMessage: postFilterText === '' ? undefined : postFilterText,
    });
    if (outcome?.nominatedNodeName !== undefined) {
      nominated.nominate(queued.pod, outcome.nominatedNodeName);
    } else if (outcome?.clearsNomination === true) {
      nominated.remove(queued.key);
    }
    queue.markUnschedulable(queued, refusers(refusal, outcome, cache.nodes.length));
    const nomination = outcome?.nominatedNodeName ?? (outcome?.clearsNomination ? '' : undefined);
    const noted = recordFailure(cycle, 'Unschedulable', message, nomination);
    if (outcome?.victimCount !== undefined) metrics.preempted(outcome.victimCount);
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
      queue.moveFor({ event: 'AssignedPod/Delete' });
    }
  };

  const bind = async (cycle: Cycle, nodeName: string): Promise<void> => {
    const { profile, state, queued } = cycle;
    const { pod, key } = queued;
    // What takes its time is told beforehand; the API server takes it back when the pod is bound.
    const expected = profile.isSlowToBind(state, pod, nodeName)
      ? await noteExpectedNode({ client, log }, queued, nodeName)
      : undefined;
    if (expected !== undefined) queued.pod = createPodInfo(expected);
    const status = await bindPod({ profile, state, pod, nodeName, extenders });
    if (isSuccess(status)) {
      queue.done(key);
      const note = `Successfully assigned ${key} to ${nodeName}`;
      eventsFor(profile.schedulerName).event(pod.pod, 'Normal', 'Scheduled', note, {
        action: 'Binding',
      });
      profile.postBind(state, pod, nodeName);
      count(cycle, 'scheduled');
      metrics.scheduled(queued.attempts, (clock.now() - queued.enqueuedMs) / 1000);
      return;
    }
    cache.forget(key);
    profile.unreserve(state, pod, nodeName);
    const message = status?.reasons.join(', ') ?? '';
    log.warning('Binding failed', { pod: key, node: nodeName, reason: message });
    fail(cycle, message, expected === undefined ? undefined : '');
    const nodeInfo = cache.node(nodeName);
    queue.moveFor({ event: 'AssignedPod/Delete', pod: pod.pod, nodeInfo });
  };

  const fail = (cycle: Cycle, message: string, nomination?: string): void => {
    void recordFailure(cycle, 'SchedulerError', message, nomination);
    queue.markFailed(cycle.queued);
  };

  const recordFailure = (
    cycle: Cycle,
    reason: FailureNote['reason'],
    message: string,
    nominatedNodeName?: string,
  ): Promise<void> => {
    count(cycle, reason === 'Unschedulable' ? 'unschedulable' : 'error');
    const events = eventsFor(cycle.profile.schedulerName);
    const note = { reason, message, nominatedNodeName };
    return noteFailure({ client, events, clock, log }, cycle.queued, note);
  };

  const count = ({ profile, startMs }: Cycle, result: AttemptResult): void => {
    metrics.attempt(profile.schedulerName, result, (clock.monotonicMs() - startMs) / 1000);
  };

  const moveFor = queue.moveFor;
  lookups.onEvent(moveFor);
  followNodes(options.nodes, cache, moveFor);
  const isOurs = (pod: Pod): boolean => profileOf(pod) !== undefined;
  followPods({ pods: options.pods, cache, queue, nominated, moveFor, isOurs });
  return {
    get pendingPods() {
      return queue.size;
    },
  };
}

/** One pod on its way through one cycle. */
interface Cycle {
  readonly profile: Profile;
  readonly queued: QueuedPod;
  readonly state: CycleState;
  readonly startMs: number;
}

/** The plugins whose events bring the pod back. */
function refusers(
  { statuses, preFilterStatus, narrowedBy }: Refusal,
  outcome: PostFilterResult | undefined,
  nodeCount: number,
): ReadonlySet<string> {
  const refusedBy = new Set(narrowedBy);
  if (preFilterStatus !== undefined) refusedBy.add(preFilterStatus.plugin ?? '');
  for (const { plugin = '' } of statuses.values()) refusedBy.add(plugin);
  // Without nodes nobody refused: any new node may help.
  if (nodeCount === 0) refusedBy.add('NodeName');
  if (outcome?.nominatedNodeName !== undefined) refusedBy.add('DefaultPreemption');
  return refusedBy;
}

function percentages({
  percentageOfNodesToScore,
  profiles,
}: SchedulerConfiguration): (profile: Profile) => number {
  const own = new Map(
    profiles.map((one) => [one.schedulerName, one.percentageOfNodesToScore] as const),
  );
  return ({ schedulerName }) => own.get(schedulerName) ?? percentageOfNodesToScore;
}
