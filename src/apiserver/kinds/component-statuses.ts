import type { UnknownObject } from '#schema/mod.ts';
import { notFound } from '../api-errors.ts';
import { CacheEntry } from '../cache/mod.ts';
import type { ListPage } from '../handlers/list.ts';
import type { ServedResource } from '../resource-registry.ts';

/** What upstream probes; here all of them run in this process, or it would not answer. */
const components: readonly string[] = ['scheduler', 'controller-manager', 'etcd-0'];

export function isComponentStatus({ info: { group, resource } }: ServedResource): boolean {
  return group === '' && resource === 'componentstatuses';
}

function entryOf({ layout }: ServedResource, name: string): CacheEntry {
  const object = {
    metadata: { name },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  } as unknown as UnknownObject;
  const bytes = layout.encode(object).bytes(0);
  const fields = { 'metadata.name': name };
  return new CacheEntry({ key: name, namespace: '', name, revision: 0, bytes, fields, labels: {} });
}

/** The state of one component, which is stored nowhere. Throws NotFound. */
export function componentStatus(served: ServedResource, name: string): CacheEntry {
  if (!components.includes(name)) throw notFound(served.info, name);
  return entryOf(served, name);
}

/** All components that the selectors of a list take. */
export function listComponentStatuses(
  served: ServedResource,
  matches: (entry: CacheEntry) => boolean,
): ListPage {
  const entries = components.map((name) => entryOf(served, name)).filter(matches);
  return { entries, revision: 0, continueToken: '', remainingItemCount: undefined };
}
