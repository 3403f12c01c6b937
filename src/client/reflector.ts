import { ApiStatusError } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import { createBackOff } from './back-off.ts';
import type { Client, WatchEvent } from './client.ts';

/** As client-go: each watch is asked to last 5 to 10 minutes, so that servers can rebalance. */
const minWatchSeconds = 300;

/** A watch that ends sooner without an event counts as failed. */
const shortWatchMs = 1000;

export interface FollowOptions<T extends KubeObject> {
  client: Client;
  resource: GroupVersionResource;
  clock: Clock;
  random: Random;
  log: Logger;
  selection?: Selection | undefined;
  signal: AbortSignal;
  onList: (items: readonly T[]) => void;
  onEvent: (event: WatchEvent<T>) => void;
}

/** Which objects of the resource are followed; absent for all. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/**
 * Follows a resource until the signal is aborted: one list, then watches that resume from the last
 * version seen (bookmarks included). Lists again only when that version is too old (410); every
 * other failure is retried after a back-off of 0.8 to 30 s. Never rejects.
 */
export async function followResource<T extends KubeObject>(
  options: FollowOptions<T>,
): Promise<void> {
  const { client, resource, clock, random, log, selection = {}, signal } = options;
  const { onList, onEvent } = options;
  const backOff = createBackOff({ clock, random });
  let version: string | undefined;
  let hasExpired = false;

  const list = async (): Promise<void> => {
    // From the server's cache first; after a 410 the newest state is needed.
    const resourceVersion = hasExpired ? undefined : '0';
    const answer = await client.list<T>(resource, { ...selection, resourceVersion, signal });
    if (signal.aborted) return;
    onList(answer.items);
    version = answer.metadata.resourceVersion;
    hasExpired = false;
  };

  const watch = async (): Promise<void> => {
    const startMs = clock.monotonicMs();
    let events = 0;
    const stream = client.watch<T>(resource, {
      ...selection,
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: minWatchSeconds + random.integer(minWatchSeconds),
      signal,
    });
    for await (const event of stream) {
      if (signal.aborted) return;
      events += 1;
      if (event.type !== 'BOOKMARK') onEvent(event);
      version = event.object.metadata.resourceVersion ?? version;
    }
    if (events === 0 && !signal.aborted && clock.monotonicMs() - startMs < shortWatchMs) {
      throw new Error('the watch ended at once without an event');
    }
  };

  while (!signal.aborted) {
    try {
      if (version === undefined) await list();
      else await watch();
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        log.debug('version is too old, listing again', { resource: resource.resource });
        version = undefined;
        // A list that is itself refused must not spin.
        if (!hasExpired) {
          hasExpired = true;
          continue;
        }
      }
      const waitMs = backOff.nextMs();
      log.warning('cannot follow resource', {
        resource: resource.resource,
        group: resource.group,
        error: messageOf(error),
        retryMs: Math.round(waitMs),
      });
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

function isExpired(error: unknown): boolean {
  return (
    error instanceof ApiStatusError &&
    (error.httpCode === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  );
}
