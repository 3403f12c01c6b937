import type { CacheEntry } from './entry.ts';
import type { CacheEvent, EventRing } from './event-ring.ts';
import type { Selection } from './selection.ts';

/** A change as one watcher sees it, after its selection. */
export interface Delivery {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The object to show; for DELETED it carries the revision of the event. */
  readonly entry: CacheEntry;
  /** The event that this came from; watchers share frames through it. */
  readonly event: CacheEvent;
  /** False when the entry is the state before the event: its bytes lack the event's revision. */
  readonly isCurrent: boolean;
}

/**
 * A watcher's place in the ring. It holds no events of its own: a watcher that falls behind the
 * ring is ended. `wake` is called when something for it may have come and it was idle; it must not
 * throw and reads with `next`.
 */
export class Subscription {
  readonly selection: Selection;
  /** Index keys under which the cache finds it; see watcher-index.ts. */
  readonly trigger: string;
  readonly wake: () => void;
  /** Set by the cache when the watch cannot go on: overtaken, or the cache was loaded anew. */
  endReason: 'slow' | 'reset' | undefined;
  #ring: EventRing;
  #sequence: number;
  /** Changes at or below it are not for this watcher. */
  readonly #after: number;
  /** Changes from before the ring, handed out first; newest at the end. */
  #backlog: readonly CacheEvent[];
  #backlogIndex = 0;
  /** Idle watchers are not tracked: the next wake moves them to the event that woke them. */
  #idle: boolean;

  constructor(init: {
    ring: EventRing;
    selection: Selection;
    trigger: string;
    sequence: number;
    after: number;
    backlog: readonly CacheEvent[];
    wake: () => void;
  }) {
    this.#ring = init.ring;
    this.selection = init.selection;
    this.trigger = init.trigger;
    this.wake = init.wake;
    this.#sequence = init.sequence;
    this.#after = init.after;
    this.#backlog = init.backlog;
    this.#idle = init.backlog.length === 0 && init.sequence === init.ring.nextSequence;
  }

  /** True when everything that happened so far was handed out. */
  get isIdle(): boolean {
    return this.#idle;
  }

  /** Called by the cache: an event that may concern this watcher is at `sequence`. */
  notice(sequence: number): void {
    if (!this.#idle) return;
    this.#sequence = sequence;
    this.#idle = false;
  }

  /** The next change for this watcher, or undefined when there is none yet (or it was ended). */
  next(): Delivery | undefined {
    if (this.#idle || this.endReason !== undefined) return undefined;
    const early = this.#nextOfBacklog();
    if (early !== undefined) return early;
    if (this.#sequence < this.#ring.firstSequence) {
      this.endReason = 'slow';
      return undefined;
    }
    for (;;) {
      const event = this.#ring.at(this.#sequence);
      if (event === undefined) {
        this.#idle = true;
        return undefined;
      }
      this.#sequence++;
      if (event.revision <= this.#after) continue;
      const delivery = select(event, this.selection);
      if (delivery !== undefined) return delivery;
    }
  }

  #nextOfBacklog(): Delivery | undefined {
    while (this.#backlogIndex < this.#backlog.length) {
      const delivery = select(this.#backlog[this.#backlogIndex++] as CacheEvent, this.selection);
      if (delivery !== undefined) return delivery;
    }
    if (this.#backlogIndex > 0) {
      this.#backlog = [];
      this.#backlogIndex = 0;
    }
    return undefined;
  }
}

/** What a change is to a watcher with this selection; undefined when it does not concern it. */
export function select(event: CacheEvent, selection: Selection): Delivery | undefined {
  const { entry } = event;
  // the state before may have to be read; where the key decides it says nothing new
  if (selection.isByKey) {
    return selection.matches(entry)
      ? { type: event.type, entry, event, isCurrent: true }
      : undefined;
  }
  const { previous } = event;
  if (event.type === 'DELETED') {
    const before = previous ?? entry;
    if (!selection.matches(before)) return undefined;
    return { type: 'DELETED', entry, event, isCurrent: true };
  }
  const isMatch = selection.matches(entry);
  const wasMatch = previous !== undefined && selection.matches(previous);
  if (isMatch) return { type: wasMatch ? 'MODIFIED' : 'ADDED', entry, event, isCurrent: true };
  if (!wasMatch) return undefined;
  return { type: 'DELETED', entry: previous, event, isCurrent: false };
}
