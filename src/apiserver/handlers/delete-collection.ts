import { hasReason } from '#base/api-status-error.ts';
import type { DeleteRequest } from './delete.ts';
import { deleteObject } from './delete.ts';
import { listObjects } from './list.ts';
import type { ListPage } from './list.ts';
import type { ListOptions } from './list-options.ts';
import type { CacheEntry } from '../cache/mod.ts';

/** Deletes that run at the same time. */
const concurrency = 16;

/**
 * Deletes everything that a list with these options shows, each as a delete of its own; what is
 * gone already is no error. The first other failure ends it and is thrown. Gives back the list as
 * it was before, as upstream.
 */
export async function deleteCollection(
  request: Omit<DeleteRequest, 'name'>,
  listOptions: ListOptions,
): Promise<ListPage> {
  const { core, served, namespace } = request;
  const page = await listObjects(core, served, namespace, '', listOptions);
  const { cache } = served;
  let next = 0;
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (next < page.entries.length && !hasFailed) {
      const entry = page.entries[next++] as CacheEntry;
      const { namespace: of, name } = entry;
      const known = cache?.isComplete === true ? undefined : entry;
      try {
        await deleteObject({ ...request, namespace: of, name, known });
      } catch (error) {
        if (hasReason(error, 'NotFound')) continue;
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, page.entries.length) }, worker));
  return page;
}
