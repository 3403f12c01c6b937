import { hasReason } from '#base/api-status-error.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

import type { Change } from './rbac-reconcile.ts';

/** Writes under way at once: enough to fill a group commit. */
const maxParallel = 32;
const maxAttempts = 5;

/**
 * Brings stored objects to what is wanted: one list, then writes for differences only, so a
 * restart that finds all in place writes nothing. Lost races with another server are looked at
 * again. Returns the number of writes.
 */
export async function reconcileObjects<T extends KubeObject>(options: {
  client: Client;
  resource: GroupVersionResource;
  wanted: readonly T[];
  /** How to bring a stored object to the wanted one; absent to only create what is missing. */
  compare?: ((stored: T, wanted: T) => Change<T>) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<number> {
  const { client, resource, wanted, signal } = options;
  const compare = options.compare ?? ((): Change<T> => ({ action: 'keep' }));
  const { items } = await client.list<T>(resource, { signal });
  const stored = new Map(items.map((item) => [keyOf(item), item]));
  const left = [...wanted];
  let writes = 0;

  async function settle(object: T): Promise<void> {
    let current = stored.get(keyOf(object));
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      try {
        if (await writeDifference({ client, resource, current, wanted: object, compare, signal })) {
          writes++;
        }
        return;
      } catch (error) {
        const isRace =
          hasReason(error, 'Conflict') ||
          hasReason(error, 'AlreadyExists') ||
          hasReason(error, 'NotFound');
        if (!isRace || attempt === maxAttempts - 1) throw error;
        current = await getOrNothing<T>(client, resource, object);
      }
    }
  }

  async function worker(): Promise<void> {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await settle(next);
  }
  await Promise.all(Array.from({ length: Math.min(maxParallel, wanted.length) }, worker));
  return writes;
}

async function writeDifference<T extends KubeObject>(options: {
  client: Client;
  resource: GroupVersionResource;
  current: T | undefined;
  wanted: T;
  compare: (stored: T, wanted: T) => Change<T>;
  signal: AbortSignal | undefined;
}): Promise<boolean> {
  const { client, resource, current, wanted, signal } = options;
  const write = { namespace: wanted.metadata.namespace, signal };
  if (current === undefined) {
    await client.create<T>(resource, wanted, write);
    return true;
  }
  const change = options.compare(current, wanted);
  if (change.action === 'keep') return false;
  if (change.action === 'update') {
    await client.update<T>(resource, change.object, write);
    return true;
  }
  await client.delete(resource, wanted.metadata.name, write);
  await client.create<T>(resource, change.object, write);
  return true;
}

async function getOrNothing<T extends KubeObject>(
  client: Client,
  resource: GroupVersionResource,
  of: T,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, of.metadata.name, { namespace: of.metadata.namespace });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

const keyOf = (object: KubeObject): string =>
  `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
