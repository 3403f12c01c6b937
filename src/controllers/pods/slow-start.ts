/** Outcome of a slow start: how many went well, and the first error. */
export interface BatchResult {
  readonly successes: number;
  readonly error: unknown;
}

/**
 * Does `work` `total` times in batches of 1, 2, 4, …, each at once, and stops after a batch with an
 * error: a mistake that every try would meet (a quota, an admission) costs one try, not hundreds.
 */
export async function slowStart(total: number, work: () => Promise<unknown>): Promise<BatchResult> {
  let successes = 0;
  for (let done = 0, size = 1; done < total; done += size, size *= 2) {
    size = Math.min(size, total - done);
    const results = await Promise.allSettled(Array.from({ length: size }, work));
    successes += results.filter((result) => result.status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) return { successes, error: failed.reason };
  }
  return { successes, error: undefined };
}
