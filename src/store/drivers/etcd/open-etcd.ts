import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { StoreError } from '../../errors.ts';
import type { DatastoreTls } from './connection.ts';
import { EtcdConnection } from './connection.ts';
import { EtcdBackend } from './etcd-backend.ts';

/** How long to look for an etcd that answers when the server starts. */
const openTimeoutMs = 30_000;
const openRetryMs = 500;

export interface EtcdOptions {
  /** URLs, `http` or `https`. */
  endpoints: readonly string[];
  tls?: DatastoreTls | undefined;
  clock: Clock;
  log: Logger;
}

/** Connects to an etcd; rejects with `Unavailable` when none answers within half a minute. */
export async function openEtcd(options: EtcdOptions): Promise<EtcdBackend> {
  const { clock, log, endpoints, tls = {} } = options;
  const backend = new EtcdBackend({
    connection: new EtcdConnection({ endpoints, tls, clock }),
    clock,
    log,
  });
  const endMs = clock.monotonicMs() + openTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      await backend.newestRevision();
      return backend;
    } catch (error) {
      if (clock.monotonicMs() >= endMs) {
        await backend.close();
        const text = `cannot use the datastore ${endpoints.join(',')}: ${(error as Error).message}`;
        throw new StoreError('Unavailable', text, { cause: error });
      }
      if (attempt === 1) log.warning('Waiting for etcd', { error: (error as Error).message });
      await clock.sleep(openRetryMs);
    }
  }
}
