/**
 * Pods by job whose tracking finalizer was taken off and that the informer still shows with it.
 * Without this memory a sync that is faster than the watch would count such a pod twice.
 */
export interface FinalizerRemovals {
  expect(jobKey: string, uid: string): void;
  observed(jobKey: string, uid: string): void;
  /** The uids that are open for the job; read-only and live. */
  of(jobKey: string): ReadonlySet<string>;
  forget(jobKey: string): void;
}

const none: ReadonlySet<string> = new Set();

export function createFinalizerRemovals(): FinalizerRemovals {
  const open = new Map<string, Set<string>>();
  return {
    expect(jobKey, uid) {
      const uids = open.get(jobKey) ?? new Set();
      uids.add(uid);
      open.set(jobKey, uids);
    },
    observed(jobKey, uid) {
      const uids = open.get(jobKey);
      if (uids?.delete(uid) === true && uids.size === 0) open.delete(jobKey);
    },
    of: (jobKey) => open.get(jobKey) ?? none,
    forget: (jobKey) => void open.delete(jobKey),
  };
}
