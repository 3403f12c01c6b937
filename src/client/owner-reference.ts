import type { KubeObject } from '#schema/mod.ts';
import type { OwnerReference } from '#schema/types.ts';

/** The owner that manages the object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/**
 * The reference that makes `owner` the controller of an object; it must carry apiVersion and kind.
 */
export function controllerReference(owner: KubeObject): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}

/** A plain reference: the object is collected with its last owner. */
export function ownerReference(owner: KubeObject): OwnerReference {
  const { apiVersion = '', kind = '' } = owner;
  return { apiVersion, kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '' };
}
