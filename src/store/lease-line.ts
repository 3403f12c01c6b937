/** Length from which on writes that count no more are looked for. */
const minPruneLength = 4096;

export interface Lease {
  readonly key: string;
  readonly modRevision: number;
}

/**
 * Leases of one length, which therefore end in the order in which they were given: columns without
 * an object each, because there is one for each Event of the last hour and each change of it.
 */
export class LeaseLine {
  #keys: string[] = [];
  #modRevisions: number[] = [];
  #dueMs: number[] = [];
  /** Index of the first that was not taken. */
  #first = 0;
  #pruneAt = minPruneLength;
  readonly #isCurrent: (key: string, modRevision: number) => boolean;

  /** `isCurrent` tells whether a lease still is its key's; those of earlier writes are dropped. */
  constructor(isCurrent: (key: string, modRevision: number) => boolean) {
    this.#isCurrent = isCurrent;
  }

  get length(): number {
    return this.#keys.length - this.#first;
  }

  /** When the first ends; Infinity when there is none. */
  get dueMs(): number {
    return this.#dueMs[this.#first] ?? Infinity;
  }

  /** `dueMs` must not be before that of the one added last. */
  add(key: string, modRevision: number, dueMs: number): void {
    this.#keys.push(key);
    this.#modRevisions.push(modRevision);
    this.#dueMs.push(dueMs);
    if (this.length >= this.#pruneAt) this.#prune();
  }

  /** Takes the first. */
  take(): Lease | undefined {
    const at = this.#first;
    const key = this.#keys[at];
    const modRevision = this.#modRevisions[at];
    if (key === undefined || modRevision === undefined) return undefined;
    this.#first++;
    // moving the rest costs as much as taking what went before it
    if (this.#first * 2 >= this.#keys.length) this.#moveUp();
    return { key, modRevision };
  }

  /** The next time is at twice the length that is left, so that an addition pays for few looks. */
  #prune(): void {
    this.#moveUp();
    const isKept = this.#keys.map((key, at) => this.#isCurrent(key, this.#modRevisions[at] ?? 0));
    const rest = <T>(column: readonly T[]): T[] => column.filter((_, at) => isKept[at]);
    this.#keys = rest(this.#keys);
    this.#modRevisions = rest(this.#modRevisions);
    this.#dueMs = rest(this.#dueMs);
    this.#pruneAt = Math.max(minPruneLength, this.length * 2);
  }

  #moveUp(): void {
    this.#keys = this.#keys.slice(this.#first);
    this.#modRevisions = this.#modRevisions.slice(this.#first);
    this.#dueMs = this.#dueMs.slice(this.#first);
    this.#first = 0;
  }
}
