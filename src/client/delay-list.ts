import type { Clock, Timer } from '#base/clock.ts';

interface Waiting<T> {
  item: T;
  dueMs: number;
}

/**
 * Items that become due later, with one timer for all of them. An item that waits already keeps
 * the earlier of its two times.
 */
export interface DelayList<T> {
  readonly size: number;
  add(item: T, delayMs: number): void;
  /** Forgets everything that waits. */
  clear(): void;
}

export function createDelayList<T>(clock: Clock, onDue: (item: T) => void): DelayList<T> {
  // A binary heap by due time; entries that were moved forward stay behind as stale ones.
  const heap: Waiting<T>[] = [];
  const dueOf = new Map<T, number>();
  let timer: Timer | undefined;
  let timerDueMs = Number.POSITIVE_INFINITY;

  const arm = (): void => {
    const first = heap[0];
    if (first === undefined || first.dueMs >= timerDueMs) return;
    timer?.cancel();
    timerDueMs = first.dueMs;
    timer = clock.after(Math.max(first.dueMs - clock.monotonicMs(), 0), fire);
  };
  function fire(): void {
    timerDueMs = Number.POSITIVE_INFINITY;
    timer = undefined;
    const now = clock.monotonicMs();
    for (let first = heap[0]; first !== undefined && first.dueMs <= now; first = heap[0]) {
      pop(heap);
      if (dueOf.get(first.item) !== first.dueMs) continue;
      dueOf.delete(first.item);
      onDue(first.item);
    }
    arm();
  }

  return {
    get size() {
      return dueOf.size;
    },
    add(item, delayMs) {
      const dueMs = clock.monotonicMs() + delayMs;
      const known = dueOf.get(item);
      if (known !== undefined && known <= dueMs) return;
      dueOf.set(item, dueMs);
      push(heap, { item, dueMs });
      arm();
    },
    clear() {
      timer?.cancel();
      timer = undefined;
      timerDueMs = Number.POSITIVE_INFINITY;
      heap.length = 0;
      dueOf.clear();
    },
  };
}

function push<T>(heap: Waiting<T>[], entry: Waiting<T>): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Waiting<T>;
    if (parent.dueMs <= entry.dueMs) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = entry;
}

function pop<T>(heap: Waiting<T>[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    const right = heap[below + 1];
    if (right !== undefined && right.dueMs < (heap[below] as Waiting<T>).dueMs) below += 1;
    const child = heap[below];
    if (child === undefined || child.dueMs >= last.dueMs) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}
