import { hasReason } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import { controllerOf, controllerReference } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';

/**
 * Decides by selector which of the candidates belong to the owner: adopts matching ones that nobody
 * controls and lets go of own ones that no longer match, as upstream's controller reference
 * manager. The owner is read anew before the first adoption, so that one that is being deleted
 * adopts nothing.
 */
export async function claimObjects<T extends KubeObject>(options: {
  client: Client;
  owner: KubeObject;
  ownerResource: GroupVersionResource;
  resource: GroupVersionResource;
  selector: LabelSelector;
  candidates: readonly T[];
}): Promise<T[]> {
  const { client, owner, ownerResource, resource, selector, candidates } = options;
  const { uid, name, namespace } = owner.metadata;
  const isOwnerDeleting = owner.metadata.deletionTimestamp !== undefined;
  let canAdopt: Promise<void> | undefined;
  const claimed: T[] = [];

  for (const object of candidates) {
    const controller = controllerOf(object);
    const isMatch = selector.matches(object.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== uid) continue;
      if (isMatch) claimed.push(object);
      else if (!isOwnerDeleting) await release(client, resource, object, uid ?? '');
      continue;
    }
    if (isOwnerDeleting || !isMatch || object.metadata.deletionTimestamp !== undefined) continue;
    canAdopt ??= client.get(ownerResource, name, { namespace }).then((live) => {
      if (live.metadata.uid === uid && live.metadata.deletionTimestamp === undefined) return;
      throw new K3tsError('OwnerGone', `${name} was deleted or made anew and adopts nothing`);
    });
    await canAdopt;
    const adopted = await adopt(client, resource, object, owner);
    if (adopted !== undefined) claimed.push(adopted);
  }
  return claimed;
}

/** Undefined when the object is gone already. */
async function adopt<T extends KubeObject>(
  client: Client,
  resource: GroupVersionResource,
  object: T,
  owner: KubeObject,
): Promise<T | undefined> {
  const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)];
  return await changeOwners(client, resource, object, ownerReferences);
}

async function release(
  client: Client,
  resource: GroupVersionResource,
  object: KubeObject,
  ownerUid: string,
): Promise<void> {
  const { ownerReferences = [] } = object.metadata;
  const others = ownerReferences.filter((reference) => reference.uid !== ownerUid);
  await changeOwners(client, resource, object, others);
}

async function changeOwners<T extends KubeObject>(
  client: Client,
  resource: GroupVersionResource,
  object: T,
  ownerReferences: readonly object[],
): Promise<T | undefined> {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  // The version makes the server refuse what was decided on an old list of owners.
  const body = { metadata: { uid, resourceVersion, ownerReferences } };
  try {
    return await client.patch<T>(resource, name, { type: 'merge', body }, { namespace });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
