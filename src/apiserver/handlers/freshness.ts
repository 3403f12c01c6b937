import { tooLargeResourceVersion } from '../api-errors.ts';
import type { PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';

/** How long a request waits for a version that has not come yet, as upstream. */
const waitMs = 3000;

/** Waits until the cache shows every change that was acknowledged before this call. */
export async function waitForNewest(core: Core): Promise<void> {
  const { backend } = core;
  const revision = backend.exclusive ? backend.currentRevision : await backend.newestRevision();
  if (revision <= core.cache.appliedRevision || (await waitFor(core, revision))) return;
  // an answer from the past would break the promise: the feed of the store hangs
  throw tooLargeResourceVersion(revision, core.cache.appliedRevision);
}

/** Waits until the cache is at `revision`; throws 504 when that takes too long. */
export async function waitForAtLeast(core: Core, revision: number): Promise<void> {
  if (revision <= core.cache.appliedRevision) return;
  if (await waitFor(core, revision)) return;
  throw tooLargeResourceVersion(revision, core.cache.appliedRevision);
}

/**
 * As waitForAtLeast for a list or a get of this kind: where the store answers, a version that has
 * not happened is refused at once, as upstream's does.
 */
export async function reachVersion(
  core: Core,
  cache: PrefixCache,
  revision: number,
): Promise<void> {
  if (!cache.isComplete && revision > core.cache.appliedRevision) {
    const newest = await core.backend.newestRevision();
    if (revision > newest) throw tooLargeResourceVersion(revision, newest, false);
  }
  await waitForAtLeast(core, revision);
}

async function waitFor(core: Core, revision: number): Promise<boolean> {
  const reached = core.cache.waitForRevision(revision);
  if (reached === undefined) return true;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = core.clock.after(waitMs, resolve);
  await Promise.race([reached, late]);
  timer.cancel();
  return core.cache.appliedRevision >= revision;
}
