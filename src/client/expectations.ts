import type { Clock } from '#base/clock.ts';

/** As upstream: after this long a lost watch event no longer holds a controller back. */
const timeoutMs = 5 * 60_000;

interface Expected {
  creations: number;
  readonly deletions: Set<string>;
  readonly startMs: number;
}

/**
 * What a controller has asked for but not yet seen in its informer. While something is open, the
 * informer's list is behind and must not be counted, or objects would be made twice. Deletions are
 * told apart by uid, so that a repeated event does not count twice.
 */
export interface Expectations {
  expectCreations(key: string, count: number): void;
  expectDeletions(key: string, uids: readonly string[]): void;
  creationObserved(key: string): void;
  deletionObserved(key: string, uid: string): void;
  /** True when nothing is open for the key, or the wait has timed out. */
  satisfied(key: string): boolean;
  forget(key: string): void;
}

export function createExpectations(clock: Clock): Expectations {
  const open = new Map<string, Expected>();
  const begin = (key: string): Expected => {
    const known = open.get(key);
    if (known !== undefined && isOpen(known)) return known;
    const fresh = { creations: 0, deletions: new Set<string>(), startMs: clock.monotonicMs() };
    open.set(key, fresh);
    return fresh;
  };
  return {
    expectCreations(key, count) {
      begin(key).creations += count;
    },
    expectDeletions(key, uids) {
      const expected = begin(key);
      for (const uid of uids) expected.deletions.add(uid);
    },
    creationObserved(key) {
      const expected = open.get(key);
      if (expected !== undefined && expected.creations > 0) expected.creations -= 1;
    },
    deletionObserved: (key, uid) => void open.get(key)?.deletions.delete(uid),
    satisfied(key) {
      const expected = open.get(key);
      if (expected === undefined || !isOpen(expected)) return true;
      return clock.monotonicMs() - expected.startMs > timeoutMs;
    },
    forget: (key) => void open.delete(key),
  };
}

function isOpen(expected: Expected): boolean {
  return expected.creations > 0 || expected.deletions.size > 0;
}
