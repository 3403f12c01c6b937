import type { UnknownObject } from '#schema/mod.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { hookScope } from '../pipeline/write-scope.ts';
import type { WriteOptions } from './write-options.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedObject } from '../resource-registry.ts';

/**
 * Takes an object out of the store; `last` is the state that watchers see with the delete, the
 * stored one when absent. Throws
 * StaleObject when it changed meanwhile.
 */
export async function finishDelete(
  request: {
    core: Core;
    served: ServedResource;
    context: ResourceRequestContext;
    options: WriteOptions;
  },
  cache: PrefixCache,
  current: CacheEntry,
  last: UnknownObject | undefined,
): Promise<CacheEntry> {
  const { core, served, context, options } = request;
  const entry = await core.store.delete(cache, current, last);
  await served.hooks.afterDelete?.(
    servedObject(served, entry),
    hookScope({
      context,
      served,
      namespace: entry.namespace,
      name: entry.name,
      subresource: '',
      options,
      nowMs: core.clock.now(),
    }),
  );
  return entry;
}
