import { ApiStatusError } from '#base/api-status-error.ts';
import type { WatchEvent } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import { shownEntry } from './answers/watch-answer.ts';
import type { WatchItem, WatchSession } from './handlers/watch.ts';
import { servedObject } from './resource-registry.ts';

/**
 * The events of a watch as objects, for a reader in this process. Ends when the session does or the
 * signal is aborted; throws what the watch failed with. Closes the session in any case.
 */
export async function* watchEvents<T extends KubeObject>(
  session: WatchSession,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  let wake: () => void = () => undefined;
  session.onWake = () => wake();
  const onAbort = (): void => {
    session.close();
    wake();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) return;
    for (;;) {
      const item = session.next();
      if (item !== undefined) {
        yield eventOf(session, item) as WatchEvent<T>;
        continue;
      }
      if (session.isEnded) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    session.close();
  }
}

function eventOf(session: WatchSession, item: WatchItem): WatchEvent<KubeObject> {
  const { served } = session;
  switch (item.kind) {
    case 'initial':
      return { type: 'ADDED', object: servedObject(served, item.entry) };
    case 'change': {
      const { delivery } = item;
      return { type: delivery.type, object: servedObject(served, shownEntry(served, delivery)) };
    }
    case 'bookmark': {
      const { kind, apiVersion } = served.layout;
      const annotations = item.isInitialEnd ? { 'k8s.io/initial-events-end': 'true' } : undefined;
      const resourceVersion = String(item.revision);
      const metadata = { name: '', resourceVersion, ...(annotations && { annotations }) };
      return { type: 'BOOKMARK', object: { kind, apiVersion, metadata } };
    }
    case 'error':
      throw ApiStatusError.fromStatus(item.status, item.status.code);
  }
}
