import type { Clock } from '#base/clock.ts';

const firstMs = 10_000;
const maxMs = 600_000;

/** The wait after this many failures in a row. */
export function backOffMs(failures: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 20), maxMs);
}

/** Waits between failures of a job's pods: 10 s doubling to 10 min, from the last failure on. */
export interface JobBackOff {
  /** Notes what happened since the last call; a success starts the waits anew. */
  note(uid: string, newFailures: number, newSuccesses: number): void;
  leftMs(uid: string): number;
  forget(uid: string): void;
}

export function createJobBackOff(clock: Clock): JobBackOff {
  const failures = new Map<string, { count: number; lastMs: number }>();
  return {
    note(uid, newFailures, newSuccesses) {
      if (newSuccesses > 0) failures.delete(uid);
      if (newFailures === 0) return;
      const count = (failures.get(uid)?.count ?? 0) + newFailures;
      failures.set(uid, { count, lastMs: clock.monotonicMs() });
    },
    leftMs(uid) {
      const known = failures.get(uid);
      if (known === undefined) return 0;
      return Math.max(known.lastMs + backOffMs(known.count) - clock.monotonicMs(), 0);
    },
    forget: (uid) => void failures.delete(uid),
  };
}
