import type { Clock, Timer } from '#base/clock.ts';
import type { PodInfo } from '../framework/node-info.ts';
import type { ClusterEvent, QueuedPodOrder } from '../framework/plugin.ts';
import { Heap } from './heap.ts';

const initialBackoffMs = 1000;
const maxBackoffMs = 10_000;
/** However few events come, a pod is tried again after this time. */
const maxUnschedulableMs = 5 * 60_000;
const leftoverCheckMs = 30_000;

/** A pod on its way to a node. */
export interface QueuedPod extends QueuedPodOrder {
  pod: PodInfo;
  readonly key: string;
  /** Failed cycles so far; back-off grows with it. */
  attempts: number;
  /** Plugins that refused it last time; only events that they wait for bring it back. */
  refusedBy: ReadonlySet<string>;
  isGated: boolean;
}

type Place = 'active' | 'backoff' | 'unschedulable' | 'scheduling';

interface Entry {
  readonly queued: QueuedPod;
  /** Order of arrival, between pods of the same millisecond. */
  readonly sequence: number;
  place: Place;
  readyMs: number;
  parkedMs: number;
  /** Events seen while the pod was being scheduled: it may already have been overtaken. */
  sawEvent: boolean;
}

/**
 * Where pods wait: active (by priority), back-off (after a failure), unschedulable (until an event
 * that may help). Same three queues and times as upstream's.
 */
export interface SchedulingQueue {
  /** Adds a new pod, or takes over a changed one. */
  add(pod: PodInfo): void;
  remove(key: string): void;
  /** The next pod, or undefined when none is ready. */
  pop(): QueuedPod | undefined;
  /** A cycle ended without a node: the pod waits for one of its plugins' events. */
  markUnschedulable(queued: QueuedPod, refusedBy: ReadonlySet<string>): void;
  /** A cycle ended with an error: the pod is tried again after its back-off. */
  markFailed(queued: QueuedPod): void;
  /** The pod was bound. */
  done(key: string): void;
  /** Something happened: pods that it may help move on. */
  moveFor(event: ClusterEvent): void;
  readonly size: number;
  close(): void;
}

export function createSchedulingQueue(options: {
  clock: Clock;
  less: (a: QueuedPodOrder, b: QueuedPodOrder) => number;
  /** True while the pod must not be tried at all. */
  isGated: (pod: PodInfo) => boolean;
  /** Events that the plugins of these names wait for. */
  eventsOf: (plugin: string) => readonly ClusterEvent[];
  /** Called when a pod became ready. */
  onReady: () => void;
}): SchedulingQueue {
  const { clock, less, isGated, eventsOf, onReady } = options;
  const entries = new Map<string, Entry>();
  const active = new Heap<Entry>(
    (a, b) => (less(a.queued, b.queued) || a.sequence - b.sequence) < 0,
  );
  const backoff = new Heap<Entry>((a, b) => a.readyMs < b.readyMs);
  let arrivals = 0;
  let backoffTimer: Timer | undefined;
  let leftoverTimer: Timer | undefined;

  const activate = (entry: Entry): void => {
    entry.place = 'active';
    active.push(entry);
    onReady();
  };
  const scheduleFlush = (): void => {
    backoffTimer?.cancel();
    const next = backoff.peek();
    if (next === undefined) return;
    backoffTimer = clock.after(Math.max(next.readyMs - clock.now(), 0), flushBackoff);
  };
  const flushBackoff = (): void => {
    for (;;) {
      const next = backoff.peek();
      if (next === undefined || next.readyMs > clock.now()) break;
      backoff.pop();
      activate(next);
    }
    scheduleFlush();
  };
  const release = (entry: Entry): void => {
    if (isGated(entry.queued.pod)) {
      entry.queued.isGated = true;
      park(entry);
      return;
    }
    entry.queued.isGated = false;
    if (entry.readyMs <= clock.now()) {
      activate(entry);
      return;
    }
    entry.place = 'backoff';
    backoff.push(entry);
    scheduleFlush();
  };
  const park = (entry: Entry): void => {
    entry.place = 'unschedulable';
    entry.parkedMs = clock.now();
    leftoverTimer ??= clock.after(leftoverCheckMs, flushLeftovers);
  };
  const flushLeftovers = (): void => {
    leftoverTimer = undefined;
    let isAnyLeft = false;
    for (const entry of entries.values()) {
      if (entry.place !== 'unschedulable') continue;
      if (clock.now() - entry.parkedMs >= maxUnschedulableMs) release(entry);
      else isAnyLeft = true;
    }
    if (isAnyLeft) leftoverTimer ??= clock.after(leftoverCheckMs, flushLeftovers);
  };
  const setBackoff = (entry: Entry): void => {
    entry.queued.attempts++;
    const delayMs = Math.min(initialBackoffMs * 2 ** (entry.queued.attempts - 1), maxBackoffMs);
    entry.readyMs = clock.now() + delayMs;
  };
  const detach = (entry: Entry): void => {
    if (entry.place === 'active') active.removeWhere((other) => other === entry);
    if (entry.place === 'backoff') backoff.removeWhere((other) => other === entry);
  };

  return {
    get size() {
      return entries.size;
    },
    add(pod) {
      const known = entries.get(pod.key);
      if (known !== undefined) {
        known.queued.pod = pod;
        if (known.place === 'unschedulable') release(known);
        if (known.place === 'scheduling') known.sawEvent = true;
        return;
      }
      const entry: Entry = {
        queued: {
          pod,
          key: pod.key,
          priority: pod.pod.spec?.priority ?? 0,
          enqueuedMs: clock.now(),
          attempts: 0,
          refusedBy: new Set(),
          isGated: false,
        },
        sequence: arrivals++,
        place: 'active',
        readyMs: 0,
        parkedMs: 0,
        sawEvent: false,
      };
      entries.set(pod.key, entry);
      release(entry);
    },
    remove(key) {
      const entry = entries.get(key);
      if (entry === undefined) return;
      entries.delete(key);
      detach(entry);
    },
    pop() {
      const entry = active.pop();
      if (entry === undefined) return undefined;
      entry.place = 'scheduling';
      entry.sawEvent = false;
      return entry.queued;
    },
    markUnschedulable(queued, refusedBy) {
      const entry = entries.get(queued.key);
      if (entry === undefined) return;
      queued.refusedBy = refusedBy;
      setBackoff(entry);
      if (entry.sawEvent) release(entry);
      else park(entry);
    },
    markFailed(queued) {
      const entry = entries.get(queued.key);
      if (entry === undefined) return;
      setBackoff(entry);
      release(entry);
    },
    done: (key) => void entries.delete(key),
    moveFor(event) {
      for (const entry of entries.values()) {
        if (entry.place === 'scheduling') entry.sawEvent = true;
        if (entry.place !== 'unschedulable') continue;
        for (const name of entry.queued.refusedBy) {
          if (!eventsOf(name).includes(event)) continue;
          release(entry);
          break;
        }
      }
    },
    close() {
      backoffTimer?.cancel();
      leftoverTimer?.cancel();
    },
  };
}
