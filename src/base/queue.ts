/**
 * First in, first out, with a fixed bound: `push` says no when full, so the producer decides what
 * to drop. A ring over one array, because Array.shift is linear once a queue is long.
 */
export class BoundedQueue<T> {
  readonly capacity: number;
  #slots: (T | undefined)[] = emptySlots(16);
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`A queue's capacity is a positive integer, not ${capacity}`);
    }
    this.capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** False when the queue is full; the item was then not taken. */
  push(item: T): boolean {
    if (this.#size === this.capacity) return false;
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) % this.#slots.length] = item;
    this.#size++;
    return true;
  }

  /** Takes the oldest item; undefined when empty. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#size--;
    return item;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }

  clear(): void {
    this.#slots = emptySlots(16);
    this.#head = 0;
    this.#size = 0;
  }

  #grow(): void {
    const larger: (T | undefined)[] = emptySlots(this.#slots.length * 2);
    for (let i = 0; i < this.#size; i++) {
      larger[i] = this.#slots[(this.#head + i) % this.#slots.length];
    }
    this.#slots = larger;
    this.#head = 0;
  }
}

function emptySlots(count: number): undefined[] {
  return Array.from({ length: count }, () => undefined);
}
