import type { Clock, Timer } from '#base/clock.ts';
import type { Happening } from '../framework/happening.ts';
import type { PodInfo } from '../framework/node-info.ts';
import type { QueuedPodOrder } from '../framework/plugin.ts';
import type { RetryRule } from '../framework/retry-rule.ts';
import type { Status } from '../framework/status.ts';
import { Heap } from './heap.ts';
import { ParkedPods } from './parked-pods.ts';

const leftoverCheckMs = 30_000;
/** Happenings kept while one pod is placed; after more, the pod is simply tried again. */
const maxSeen = 1000;

/** A pod on its way to a node. */
export interface QueuedPod extends QueuedPodOrder {
  pod: PodInfo;
  readonly key: string;
  priority: number;
  /** Cycles that were begun so far. */
  attempts: number;
  /** Cycles without a node, and errors since the last one: the back-off grows with each. */
  refusals: number;
  errors: number;
  /** Plugins that refused it last time; only events that they wait for bring it back. */
  refusedBy: ReadonlySet<string>;
}

type Place = 'active' | 'backoff' | 'errorBackoff' | 'parked' | 'gated' | 'scheduling' | 'binding';

export interface QueueEntry {
  readonly queued: QueuedPod;
  /** Order of arrival, between pods of the same millisecond. */
  readonly sequence: number;
  place: Place;
  readyMs: number;
  parkedMs: number;
}

/** How many pods wait where, by the names that upstream's metrics use. */
export interface QueueSizes {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** However few events come, a pod is tried again after this time; 5 minutes when absent. */
  readonly maxUnschedulableMs?: number | undefined;
  readonly less: (a: QueuedPodOrder, b: QueuedPodOrder) => number;
  /** A refusal while the pod must not be tried at all. */
  readonly gate: (pod: PodInfo) => Status | undefined;
  /** What brings a pod back that this plugin refused. */
  readonly retryRule: (pod: PodInfo, plugin: string) => RetryRule | undefined;
  /** Called when a pod became ready. */
  readonly onReady: () => void;
  /** Told what brought a pod to which queue, by the names of upstream's metrics. */
  readonly onQueued?: ((event: string, queue: string) => void) | undefined;
}

/**
 * Where pods wait: active (by priority), back-off (after a failure), unschedulable (until an event
 * that may help), gated. Same queues and times as upstream's; a scheduler with nothing else to do
 * takes refused pods out of their back-off early, but not those that failed with an error.
 */
export interface SchedulingQueue {
  /** Adds a new pod, or takes over a changed one. */
  add(pod: PodInfo): void;
  /** Takes over a pod of which only the status changed: nothing that helps it. */
  refresh(pod: PodInfo): void;
  remove(key: string): void;
  /** The next pod, or undefined when none is ready. */
  pop(): QueuedPod | undefined;
  /** A cycle ended without a node: the pod waits for one of its plugins' events. */
  markUnschedulable(queued: QueuedPod, refusedBy: ReadonlySet<string>): void;
  /** A cycle found a node: what happens meanwhile does not matter to the pod. */
  markBinding(key: string): void;
  /** A cycle ended with an error: the pod is tried again after its back-off. */
  markFailed(queued: QueuedPod): void;
  /** The pod was bound. */
  done(key: string): void;
  /** Something happened: pods that it may help move on. */
  moveFor(happening: Happening): void;
  readonly size: number;
  readonly sizes: QueueSizes;
  close(): void;
}

export function createSchedulingQueue(options: SchedulingQueueOptions): SchedulingQueue {
  const { clock, less, gate, retryRule, onReady, onQueued } = options;
  const { initialBackoffMs = 1000, maxBackoffMs = 10_000 } = options;
  const { maxUnschedulableMs = 5 * 60_000 } = options;
  const entries = new Map<string, QueueEntry>();
  const active = new Heap<QueueEntry>(
    (a, b) => (less(a.queued, b.queued) || a.sequence - b.sequence) < 0,
  );
  const byReadiness = (a: QueueEntry, b: QueueEntry): boolean => a.readyMs < b.readyMs;
  const backoff = new Heap<QueueEntry>(byReadiness);
  const errorBackoff = new Heap<QueueEntry>(byReadiness);
  const parked = new ParkedPods();
  /** Happenings while the pod `inFlight` is placed: it may already have been overtaken. */
  let inFlight: QueueEntry | undefined;
  let seen: Happening[] = [];
  let isOvertaken = false;
  let arrivals = 0;
  let backoffTimer: Timer | undefined;
  let leftoverTimer: Timer | undefined;
  let isClosed = false;

  const activate = (entry: QueueEntry): void => {
    entry.place = 'active';
    active.push(entry);
    onReady();
  };
  const scheduleFlush = (): void => {
    backoffTimer?.cancel();
    if (isClosed) return;
    const next = [backoff.peek(), errorBackoff.peek()]
      .flatMap((entry) => (entry === undefined ? [] : [entry.readyMs]))
      .toSorted((a, b) => a - b)[0];
    if (next === undefined) return;
    backoffTimer = clock.after(Math.max(next - clock.now(), 0), flushBackoff);
  };
  const flushBackoff = (): void => {
    for (const heap of [backoff, errorBackoff]) {
      for (;;) {
        const next = heap.peek();
        if (next === undefined || next.readyMs > clock.now()) break;
        heap.pop();
        onQueued?.('BackoffComplete', 'active');
        activate(next);
      }
    }
    scheduleFlush();
  };
  const release = (entry: QueueEntry, event: string): void => {
    const refusal = gate(entry.queued.pod);
    if (refusal !== undefined) {
      entry.queued.refusedBy = new Set([refusal.plugin ?? '']);
      onQueued?.(event, 'gated');
      park(entry, 'gated');
      return;
    }
    if (entry.readyMs <= clock.now()) {
      onQueued?.(event, 'active');
      activate(entry);
      return;
    }
    onQueued?.(event, 'backoff');
    const isError = entry.queued.errors > 0;
    entry.place = isError ? 'errorBackoff' : 'backoff';
    (isError ? errorBackoff : backoff).push(entry);
    scheduleFlush();
    if (!isError) onReady();
  };
  const park = (entry: QueueEntry, place: 'parked' | 'gated'): void => {
    entry.place = place;
    entry.parkedMs = clock.now();
    const { pod, refusedBy } = entry.queued;
    parked.add(
      entry,
      new Set([...refusedBy].flatMap((name) => retryRule(pod, name)?.events ?? [])),
    );
    if (!isClosed) leftoverTimer ??= clock.after(leftoverCheckMs, flushLeftovers);
  };
  const unpark = (entry: QueueEntry, event: string): void => {
    parked.remove(entry);
    release(entry, event);
  };
  const flushLeftovers = (): void => {
    leftoverTimer = undefined;
    if (isClosed) return;
    for (const entry of parked.all()) {
      if (clock.now() - entry.parkedMs >= maxUnschedulableMs) unpark(entry, 'UnschedulableTimeout');
    }
    if (parked.size > 0) leftoverTimer ??= clock.after(leftoverCheckMs, flushLeftovers);
  };
  const setBackoff = (entry: QueueEntry, failures: number): void => {
    entry.readyMs = clock.now() + Math.min(initialBackoffMs * 2 ** (failures - 1), maxBackoffMs);
  };
  const helps = (entry: QueueEntry, happening: Happening): boolean => {
    const { pod, refusedBy } = entry.queued;
    for (const plugin of refusedBy) {
      const rule = retryRule(pod, plugin);
      if (rule?.events.includes(happening.event) !== true) continue;
      if (rule.isHelpedBy?.(pod, happening) !== false) return true;
    }
    return false;
  };
  const detach = (entry: QueueEntry): void => {
    const isEntry = (other: QueueEntry): boolean => other === entry;
    if (entry.place === 'active') active.removeWhere(isEntry);
    if (entry.place === 'backoff') backoff.removeWhere(isEntry);
    if (entry.place === 'errorBackoff') errorBackoff.removeWhere(isEntry);
    if (entry.place === 'parked' || entry.place === 'gated') parked.remove(entry);
    if (inFlight === entry) inFlight = undefined;
  };
  const endCycle = (entry: QueueEntry): void => {
    if (inFlight === entry) inFlight = undefined;
  };

  return {
    get size() {
      return entries.size;
    },
    get sizes() {
      const gated = parked.all().filter(({ place }) => place === 'gated').length;
      return {
        active: active.size,
        backoff: backoff.size + errorBackoff.size,
        unschedulable: parked.size - gated,
        gated,
      };
    },
    add(pod) {
      const known = entries.get(pod.key);
      if (known !== undefined) {
        known.queued.pod = pod;
        known.queued.priority = pod.pod.spec?.priority ?? 0;
        if (known.place === 'parked' || known.place === 'gated') {
          unpark(known, 'PodUpdate');
        }
        if (known === inFlight) isOvertaken = true;
        return;
      }
      const entry: QueueEntry = {
        queued: {
          pod,
          key: pod.key,
          priority: pod.pod.spec?.priority ?? 0,
          enqueuedMs: clock.now(),
          attempts: 0,
          refusals: 0,
          errors: 0,
          refusedBy: new Set(),
        },
        sequence: arrivals++,
        place: 'active',
        readyMs: 0,
        parkedMs: 0,
      };
      entries.set(pod.key, entry);
      release(entry, 'PodAdd');
    },
    refresh(pod) {
      const known = entries.get(pod.key);
      if (known !== undefined) known.queued.pod = pod;
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entries.delete(key);
      detach(entry);
    },
    pop() {
      const entry = active.pop() ?? backoff.pop();
      if (entry === undefined) return undefined;
      entry.place = 'scheduling';
      entry.queued.attempts++;
      inFlight = entry;
      seen = [];
      isOvertaken = false;
      return entry.queued;
    },
    markUnschedulable(queued, refusedBy) {
      const entry = entries.get(queued.key);
      if (entry?.queued !== queued) return;
      queued.refusedBy = refusedBy;
      queued.errors = 0;
      queued.refusals++;
      setBackoff(entry, queued.refusals);
      const isHelped = isOvertaken || seen.some((happening) => helps(entry, happening));
      endCycle(entry);
      if (isHelped) {
        release(entry, 'ScheduleAttemptFailure');
        return;
      }
      onQueued?.('ScheduleAttemptFailure', 'unschedulable');
      park(entry, 'parked');
    },
    markBinding(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      endCycle(entry);
      entry.place = 'binding';
    },
    markFailed(queued) {
      const entry = entries.get(queued.key);
      if (entry?.queued !== queued) return;
      endCycle(entry);
      queued.errors++;
      setBackoff(entry, queued.errors);
      release(entry, 'ScheduleAttemptFailure');
    },
    done: (key) => void entries.delete(key),
    moveFor(happening) {
      if (inFlight !== undefined) {
        if (seen.length < maxSeen) seen.push(happening);
        else isOvertaken = true;
      }
      for (const entry of parked.waitingFor(happening.event)) {
        if (helps(entry, happening)) unpark(entry, happening.event.replace('/', ''));
      }
    },
    close() {
      isClosed = true;
      backoffTimer?.cancel();
      leftoverTimer?.cancel();
    },
  };
}
