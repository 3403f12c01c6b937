import type { Client } from '#client/mod.ts';
import { messageOf } from '#base/errors.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import type { Pod } from '#schema/types.ts';

/** What a round of deletion found. */
export interface ContentLeft {
  /** Instances that remain, by resource. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Instances that remain and have a finalizer, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  readonly errors: readonly string[];
  /** When the slowest pod should be gone. */
  readonly graceSeconds: number;
}

/** `deployments.apps`, as upstream names a resource in texts; core ones end with a dot. */
function resourceText(info: ResourceInfo): string {
  return `${info.resource}.${info.group}`;
}

/** What can live in a namespace and be deleted, each stored thing once. */
export function deletableResources(all: readonly ResourceInfo[]): ResourceInfo[] {
  const byStorage = new Map<string, ResourceInfo>();
  for (const info of all) {
    const canDelete = info.verbs.includes('delete') && info.verbs.includes('list');
    if (!info.namespaced || !canDelete) continue;
    if (!byStorage.has(info.storagePrefix)) byStorage.set(info.storagePrefix, info);
  }
  return [...byStorage.values()];
}

/**
 * Asks for the deletion of everything in the namespace: pods first, and the rest only when no pod
 * is left, so that what pods need outlives them. Tells what remains.
 */
export async function deleteContent(
  client: Client,
  namespace: string,
  all: readonly ResourceInfo[],
): Promise<ContentLeft> {
  const deletable = deletableResources(all);
  const isPods = (info: ResourceInfo): boolean => info.group === '' && info.resource === 'pods';
  const pods = await deleteAll(client, namespace, deletable.filter(isPods));
  if (pods.remaining.size > 0 || pods.errors.length > 0) return pods;
  return await deleteAll(
    client,
    namespace,
    deletable.filter((info) => !isPods(info)),
  );
}

async function deleteAll(
  client: Client,
  namespace: string,
  infos: readonly ResourceInfo[],
): Promise<ContentLeft> {
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const errors: string[] = [];
  let graceSeconds = 0;
  const deleteOne = async (info: ResourceInfo): Promise<void> => {
    try {
      const items = await emptyResource(client, namespace, info);
      if (items.length > 0) remaining.set(resourceText(info), items.length);
      for (const item of items) {
        graceSeconds = Math.max(graceSeconds, graceOf(info, item));
        for (const finalizer of item.metadata.finalizers ?? []) {
          finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
        }
      }
    } catch (error) {
      errors.push(messageOf(error));
    }
  };
  await Promise.all(infos.map(deleteOne));
  return { remaining, finalizers, errors, graceSeconds };
}

/** What is still there after the deletion was asked for. */
async function emptyResource(
  client: Client,
  namespace: string,
  info: ResourceInfo,
): Promise<readonly KubeObject[]> {
  const before = await client.list(info, { namespace });
  if (before.items.length === 0) return [];
  if (before.items.some((item) => item.metadata.deletionTimestamp === undefined)) {
    const propagationPolicy = 'Background';
    if (info.verbs.includes('deletecollection')) {
      await client.deleteCollection(info, { namespace, propagationPolicy });
    } else {
      for (const { metadata } of before.items) {
        await client.delete(info, metadata.name, { namespace, propagationPolicy });
      }
    }
  }
  return (await client.list(info, { namespace })).items;
}

function graceOf(info: ResourceInfo, item: KubeObject): number {
  if (info.group !== '' || info.resource !== 'pods') return 0;
  const { status, metadata } = item as Pod;
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
  return metadata.deletionGracePeriodSeconds ?? 0;
}
