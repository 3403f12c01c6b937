import type { Head, HeadColumns, LogRow } from './log-storage.ts';
import { SortedKeys } from './sorted-keys.ts';

/** The newest durable state of every key, without values. */
export class HeadIndex {
  readonly #heads = new Map<string, Head>();
  readonly #keys = new SortedKeys();
  /** Deletes that compaction has not removed, oldest first: a new create must follow them. */
  readonly #tombstones = new Map<string, number>();

  constructor(columns: HeadColumns) {
    const live: string[] = [];
    const dead: [string, number][] = [];
    for (const [i, key] of columns.keys.entries()) {
      const modRevision = columns.modRevisions[i]!;
      if (columns.deleted[i] === 1) {
        dead.push([key, modRevision]);
        continue;
      }
      const createRevision = columns.createRevisions[i]!;
      this.#heads.set(key, { modRevision, createRevision, lease: columns.leases[i]! });
      live.push(key);
    }
    this.#keys.load(live);
    dead.sort((a, b) => a[1] - b[1]);
    for (const [key, revision] of dead) this.#tombstones.set(key, revision);
  }

  get(key: string): Head | undefined {
    return this.#heads.get(key);
  }

  /** Revision of the key's last delete, 0 when there is none in the log. */
  tombstone(key: string): number {
    return this.#tombstones.get(key) ?? 0;
  }

  /** Takes over a change that has become durable. */
  apply(row: LogRow): void {
    const { key, revision } = row;
    if (row.isDelete) {
      this.#heads.delete(key);
      this.#keys.delete(key);
      this.#tombstones.set(key, revision);
      return;
    }
    if (row.isCreate) {
      this.#keys.add(key);
      this.#tombstones.delete(key);
    }
    const { createRevision, lease } = row;
    this.#heads.set(key, { modRevision: revision, createRevision, lease });
  }

  /** Forgets deletes up to `revision`; only after their rows are gone from the log. */
  dropTombstones(revision: number): void {
    for (const [key, deletedAt] of this.#tombstones) {
      if (deletedAt > revision) return;
      this.#tombstones.delete(key);
    }
  }

  range(prefix: string, after: string, limit: number): { keys: string[]; remaining: number } {
    return this.#keys.range(prefix, after, limit);
  }

  count(prefix: string): number {
    return this.#keys.count(prefix);
  }

  /** Keys that expire. */
  *leased(): Generator<[string, Head]> {
    for (const entry of this.#heads) {
      if (entry[1].lease > 0) yield entry;
    }
  }
}
