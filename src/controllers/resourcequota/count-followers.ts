import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { followResource } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';

export interface CountFollowers {
  /** Follows exactly these resources from now on. */
  follow(wanted: readonly ResourceInfo[]): void;
  done(): Promise<void>;
}

/** Watches resources that quotas count, and tells in which namespace one has fewer objects. */
export function createCountFollowers(options: {
  client: Client;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  onDelete: (namespace: string) => void;
}): CountFollowers {
  const followed = new Map<string, { stop: AbortController; done: Promise<void> }>();
  const ended: Promise<void>[] = [];
  return {
    follow(wanted) {
      const names = new Map(wanted.map((info) => [info.storagePrefix, info]));
      for (const [prefix, { stop, done }] of followed) {
        if (names.has(prefix)) continue;
        stop.abort();
        ended.push(done);
        followed.delete(prefix);
      }
      for (const [prefix, info] of names) {
        if (followed.has(prefix)) continue;
        const stop = new AbortController();
        const done = followResource<KubeObject>({
          ...options,
          resource: info,
          signal: AbortSignal.any([options.signal, stop.signal]),
          onList: () => undefined,
          onEvent({ type, object }) {
            if (type === 'DELETED') options.onDelete(object.metadata.namespace ?? '');
          },
        });
        followed.set(prefix, { stop, done });
      }
    },
    async done() {
      await Promise.all([...ended, ...[...followed.values()].map(({ done }) => done)]);
    },
  };
}
