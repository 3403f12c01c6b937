import { hasReason } from '#base/api-status-error.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/** Adds or removes a finalizer at the version that was looked at; an object that is gone is fine. */
export async function setFinalizer(
  client: Client,
  resource: GroupVersionResource,
  object: KubeObject,
  finalizer: string,
  isSet: boolean,
): Promise<void> {
  const { name, namespace, uid, resourceVersion, finalizers = [] } = object.metadata;
  const others = finalizers.filter((known) => known !== finalizer);
  const next = isSet ? [...others, finalizer] : others;
  const body = { metadata: { uid, resourceVersion, finalizers: next } };
  try {
    await client.patch(resource, name, { type: 'merge', body }, { namespace });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
