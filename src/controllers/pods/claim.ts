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
  /** Put on what is adopted and taken off what is let go. */
  finalizer?: string | undefined;
}): Promise<T[]> {
  const { client, owner, ownerResource, resource, selector, candidates, finalizer } = options;
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
      else if (!isOwnerDeleting) await release(client, resource, object, uid ?? '', finalizer);
      continue;
    }
    if (isOwnerDeleting || !isMatch || object.metadata.deletionTimestamp !== undefined) continue;
    canAdopt ??= client.get(ownerResource, name, { namespace }).then((live) => {
      if (live.metadata.uid === uid && live.metadata.deletionTimestamp === undefined) return;
      throw new K3tsError('OwnerGone', `${name} was deleted or made anew and adopts nothing`);
    });
    await canAdopt;
    const adopted = await adopt(client, resource, object, owner, finalizer);
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
  finalizer: string | undefined,
): Promise<T | undefined> {
  const { ownerReferences = [], finalizers = [] } = object.metadata;
  const isMissing = finalizer !== undefined && !finalizers.includes(finalizer);
  return await changeMetadata(client, resource, object, {
    ownerReferences: [...ownerReferences, controllerReference(owner)],
    ...(isMissing ? { finalizers: [...finalizers, finalizer] } : {}),
  });
}

async function release(
  client: Client,
  resource: GroupVersionResource,
  object: KubeObject,
  ownerUid: string,
  finalizer: string | undefined,
): Promise<void> {
  const { ownerReferences = [], finalizers = [] } = object.metadata;
  const others = finalizers.filter((known) => known !== finalizer);
  await changeMetadata(client, resource, object, {
    ownerReferences: ownerReferences.filter((reference) => reference.uid !== ownerUid),
    ...(others.length < finalizers.length ? { finalizers: others } : {}),
  });
}

async function changeMetadata<T extends KubeObject>(
  client: Client,
  resource: GroupVersionResource,
  object: T,
  changes: object,
): Promise<T | undefined> {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  // The version makes the server refuse what was decided on an old list of owners.
  const body = { metadata: { uid, resourceVersion, ...changes } };
  try {
    return await client.patch<T>(resource, name, { type: 'merge', body }, { namespace });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
