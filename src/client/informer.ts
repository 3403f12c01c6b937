import { messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { Client, WatchEvent } from './client.ts';
import type { Informer, InformerHandler } from './informer-types.ts';
import { createObjectStore } from './informer-store.ts';
import { objectKey } from './object-key.ts';
import { followResource } from './reflector.ts';
import type { Selection } from './reflector.ts';

export interface InformerOptions<T extends KubeObject> {
  client: Client;
  resource: GroupVersionResource;
  clock: Clock;
  random: Random;
  log: Logger;
  options?: Selection | undefined;
  /**
   * Drops what is not needed before an object is kept (managedFields); must not change its input.
   */
  transform?: ((object: T) => T) | undefined;
  /** Ends the informer. */
  signal: AbortSignal;
}

export interface StartableInformer<T extends KubeObject> extends Informer<T> {
  /** Begins to list and watch; again has no effect. */
  start(): void;
  /** Resolves when the signal was aborted and nothing runs any more. */
  readonly done: Promise<void>;
}

/**
 * A local copy of a resource. Handlers are called one after the other, synchronously, in the order
 * of changes, each change once; one that throws is logged and does not disturb the others. An
 * object that was deleted and made anew under the same name is seen as a delete and an add.
 */
export function createInformer<T extends KubeObject>(
  options: InformerOptions<T>,
): StartableInformer<T> {
  const { client, resource, clock, random, log, signal, transform } = options;
  const store = createObjectStore<T>();
  const handlers = new Set<InformerHandler<T>>();
  const waiters = new Set<() => void>();
  let hasSynced = false;
  let done: Promise<void> | undefined;

  const notify = (call: (handler: InformerHandler<T>) => void): void => {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        log.error('informer handler failed', {
          resource: resource.resource,
          error: messageOf(error),
        });
      }
    }
  };
  const remove = (key: string, last: T): void => {
    store.remove(key);
    notify((handler) => handler.onDelete?.(last));
  };
  const put = (received: T): void => {
    const key = objectKey(received);
    const old = store.get(key);
    const isSame = old !== undefined && old.metadata.uid === received.metadata.uid;
    if (isSame && old.metadata.resourceVersion === received.metadata.resourceVersion) return;
    if (old !== undefined && !isSame) remove(key, old);
    const object = transform === undefined ? received : transform(received);
    store.set(object);
    if (isSame) notify((handler) => handler.onUpdate?.(old, object));
    else notify((handler) => handler.onAdd?.(object));
  };

  const onList = (items: readonly T[]): void => {
    const listed = new Set(items.map(objectKey));
    for (const key of store.keys()) {
      const last = store.get(key);
      if (!listed.has(key) && last !== undefined) remove(key, last);
    }
    for (const item of items) put(item);
    hasSynced = true;
    for (const resolve of waiters) resolve();
    waiters.clear();
  };
  const onEvent = (event: WatchEvent<T>): void => {
    if (event.type !== 'DELETED') {
      put(event.object);
      return;
    }
    const key = objectKey(event.object);
    if (store.get(key) !== undefined) remove(key, event.object);
  };

  return {
    get: (key) => store.get(key),
    list: () => store.list(),
    listNamespace: (namespace) => store.listNamespace(namespace),
    byIndex: (index, value) => store.byIndex(index, value),
    addIndex: (name, indexer) => store.addIndex(name, indexer),
    addHandler(handler) {
      // Adds first: a handler sees no change of an object that it was not told of.
      for (const object of store.list()) {
        try {
          handler.onAdd?.(object);
        } catch (error) {
          log.error('informer handler failed', {
            resource: resource.resource,
            error: messageOf(error),
          });
        }
      }
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    get hasSynced() {
      return hasSynced;
    },
    synced: (waitSignal) => waitForSync(() => hasSynced, waiters, waitSignal),
    start() {
      done ??= followResource<T>({
        client,
        resource,
        clock,
        random,
        log,
        selection: options.options ?? {},
        signal,
        onList,
        onEvent,
      });
    },
    get done() {
      return done ?? Promise.resolve();
    },
  };
}

function waitForSync(
  hasSynced: () => boolean,
  waiters: Set<() => void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (hasSynced()) {
      resolve();
      return;
    }
    signal?.throwIfAborted();
    const onAbort = (): void => {
      waiters.delete(onSync);
      reject(signal?.reason as Error);
    };
    const onSync = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    waiters.add(onSync);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
