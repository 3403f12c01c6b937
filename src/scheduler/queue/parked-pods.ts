import type { ClusterEvent } from '../framework/happening.ts';
import type { QueueEntry } from './scheduling-queue.ts';

const none: readonly QueueEntry[] = [];

/** The pods that wait for an event, also by the events that they wait for. */
export class ParkedPods {
  readonly #events = new Map<QueueEntry, ReadonlySet<ClusterEvent>>();
  readonly #byEvent = new Map<ClusterEvent, Set<QueueEntry>>();

  get size(): number {
    return this.#events.size;
  }

  /** A copy: the caller may park and unpark while it goes through them. */
  all(): readonly QueueEntry[] {
    return [...this.#events.keys()];
  }

  /** A copy as well; most events mean nothing to anybody. */
  waitingFor(event: ClusterEvent): readonly QueueEntry[] {
    const entries = this.#byEvent.get(event);
    return entries === undefined || entries.size === 0 ? none : [...entries];
  }

  add(entry: QueueEntry, events: ReadonlySet<ClusterEvent>): void {
    this.remove(entry);
    this.#events.set(entry, events);
    for (const event of events) {
      const entries = this.#byEvent.get(event) ?? new Set<QueueEntry>();
      entries.add(entry);
      this.#byEvent.set(event, entries);
    }
  }

  remove(entry: QueueEntry): void {
    for (const event of this.#events.get(entry) ?? []) this.#byEvent.get(event)?.delete(entry);
    this.#events.delete(entry);
  }
}
