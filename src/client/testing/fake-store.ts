import { deepFreeze } from '#base/deep-freeze.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { WatchEvent, WatchOptions } from '../client.ts';
import { objectKey } from '../object-key.ts';
import { fakeErrors } from './fake-errors.ts';
import { isSelected } from './selection.ts';

interface LogEntry {
  readonly version: number;
  readonly table: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** What a fake API server holds: frozen objects with versions, and the history for watches. */
export interface FakeStore {
  readonly version: number;
  get(resource: GroupVersionResource, key: string): KubeObject | undefined;
  list(resource: GroupVersionResource): KubeObject[];
  /** Stores with a new resourceVersion and tells watchers; returns the frozen object. */
  put(resource: GroupVersionResource, object: KubeObject): KubeObject;
  remove(resource: GroupVersionResource, key: string): KubeObject | undefined;
  watch(
    resource: GroupVersionResource,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<KubeObject>>;
  /** Forgets the history: watches from older versions fail with 410. */
  expireHistory(): void;
  /** Ends all open watches, with an error when one is given. */
  endWatches(error?: Error): void;
}

export function createFakeStore(): FakeStore {
  const tables = new Map<string, Map<string, KubeObject>>();
  let history: LogEntry[] = [];
  let version = 1;
  let oldest = 0;
  let generation = 0;
  let endError: Error | undefined;
  const wakers = new Set<() => void>();

  const tableName = (resource: GroupVersionResource): string =>
    `${resource.group}/${resource.resource}`;
  const tableOf = (resource: GroupVersionResource): Map<string, KubeObject> => {
    const name = tableName(resource);
    let table = tables.get(name);
    if (table === undefined) tables.set(name, (table = new Map()));
    return table;
  };
  const wake = (): void => {
    for (const waker of wakers) waker();
  };
  const record = (
    resource: GroupVersionResource,
    before: KubeObject | undefined,
    after: KubeObject | undefined,
  ): void => {
    history.push({ version, table: tableName(resource), before, after });
    wake();
  };
  const stamped = (object: KubeObject): KubeObject => {
    version += 1;
    const copy = structuredClone(object);
    copy.metadata.resourceVersion = String(version);
    return deepFreeze(copy);
  };

  async function* watch(
    resource: GroupVersionResource,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<KubeObject>, void, undefined> {
    const { signal, namespace } = options;
    const table = tableName(resource);
    const start = options.resourceVersion ?? '';
    let position = start === '' || start === '0' ? version : Number(start);
    const ownGeneration = generation;
    const isWanted = (object: KubeObject | undefined): boolean =>
      object !== undefined &&
      (namespace === undefined || object.metadata.namespace === namespace) &&
      isSelected(object, options);
    if (start === '' || start === '0') {
      for (const object of tableOf(resource).values()) {
        if (isWanted(object)) yield { type: 'ADDED', object };
      }
    }
    for (;;) {
      if (signal?.aborted === true) return;
      if (ownGeneration !== generation) {
        if (endError !== undefined) throw endError;
        return;
      }
      if (position < oldest) throw fakeErrors.expired(position, oldest);
      // Changes made while the consumer has an event belong to the next round.
      const from = position;
      position = version;
      for (const entry of history.filter((other) => other.version > from)) {
        if (entry.table !== table) continue;
        const event = eventOf(entry, isWanted);
        if (event !== undefined) yield event;
      }
      if (position === version && ownGeneration === generation) await nextChange(signal);
    }
  }
  const nextChange = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const waker = (): void => {
        wakers.delete(waker);
        signal?.removeEventListener('abort', waker);
        resolve();
      };
      wakers.add(waker);
      signal?.addEventListener('abort', waker, { once: true });
    });

  return {
    get version() {
      return version;
    },
    get: (resource, key) => tableOf(resource).get(key),
    list: (resource) =>
      [...tableOf(resource)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object),
    put(resource, object) {
      const stored = stamped(object);
      const key = objectKey(stored);
      const before = tableOf(resource).get(key);
      tableOf(resource).set(key, stored);
      record(resource, before, stored);
      return stored;
    },
    remove(resource, key) {
      const before = tableOf(resource).get(key);
      if (before === undefined) return undefined;
      tableOf(resource).delete(key);
      const last = stamped(before);
      record(resource, last, undefined);
      return last;
    },
    watch,
    expireHistory() {
      history = [];
      version += 1;
      oldest = version;
      wake();
    },
    endWatches(error) {
      endError = error;
      generation += 1;
      wake();
    },
  };
}

/** The event for a watcher whose selectors the object may have entered or left. */
function eventOf(
  entry: LogEntry,
  isWanted: (object: KubeObject | undefined) => boolean,
): WatchEvent<KubeObject> | undefined {
  const { before, after } = entry;
  const wasIn = isWanted(before);
  if (after !== undefined && isWanted(after)) {
    return { type: wasIn ? 'MODIFIED' : 'ADDED', object: after };
  }
  if (!wasIn || before === undefined) return undefined;
  if (after === undefined) return { type: 'DELETED', object: before };
  const { resourceVersion } = after.metadata;
  return {
    type: 'DELETED',
    object: { ...before, metadata: { ...before.metadata, resourceVersion } },
  };
}
