import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '#schema/types.ts';
import { controllerOf, controllerReference } from '#client/mod.ts';
import { isInRange, ordinalOf } from './set-facts.ts';

/** `<template>-<set>-<ordinal>`. */
export function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`;
}

/** The claims that a pod of the set mounts. */
export function claimsOf(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { metadata, spec } = template;
    const labels = { ...metadata.labels, ...set.spec?.selector.matchLabels };
    const { annotations } = metadata;
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: claimName(set, metadata.name, ordinalOf(pod)),
        namespace: set.metadata.namespace,
        labels,
        ...(annotations === undefined ? {} : { annotations }),
      },
      ...(spec === undefined ? {} : { spec }),
    };
  });
}

interface Retention {
  readonly whenDeleted: string;
  readonly whenScaled: string;
}

export function retentionOf(set: StatefulSet): Retention {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } =
    set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return { whenDeleted, whenScaled };
}

/** Whose end takes the claim along: the set's, the pod's (once it is scaled away), or nobody's. */
function wantedOwner(set: StatefulSet, pod: Pod): 'set' | 'pod' | 'none' {
  const { whenDeleted, whenScaled } = retentionOf(set);
  if (whenScaled === 'Delete' && !isInRange(pod, set)) return 'pod';
  return whenDeleted === 'Delete' ? 'set' : 'none';
}

/** Somebody else's controller: the policy is not applied to the claim. */
export function hasForeignController(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
): boolean {
  const controller = controllerOf(claim);
  return controller !== undefined && !refersTo(controller, set) && !isPodReference(controller, pod);
}

/** A reference to the pod of that name, whichever of its lives is meant. */
function isPodReference(reference: OwnerReference, pod: Pod): boolean {
  return reference.kind === 'Pod' && reference.name === pod.metadata.name;
}

function refersTo(reference: OwnerReference, owner: StatefulSet | Pod): boolean {
  return reference.uid === owner.metadata.uid;
}

/** The owners that the claim has to have by the set's policy; undefined when it has them. */
export function changedOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
): OwnerReference[] | undefined {
  const references = claim.metadata.ownerReferences ?? [];
  const wanted = wantedOwner(set, pod);
  const owner = wanted === 'set' ? set : wanted === 'pod' ? pod : undefined;
  const others = references.filter(
    (reference) => !refersTo(reference, set) && !isPodReference(reference, pod),
  );
  if (owner === undefined) return others.length === references.length ? undefined : others;
  const own = references.filter((reference) => !others.includes(reference));
  const isRight =
    own.length === 1 && own[0] !== undefined && refersTo(own[0], owner) && own[0].controller;
  return isRight === true ? undefined : [...others, controllerReference(owner)];
}

/** A claim that a former pod of this name takes along: it must be gone before the pod is made. */
export function isStaleFor(claim: PersistentVolumeClaim, pod: Pod): boolean {
  return (claim.metadata.ownerReferences ?? []).some(
    (reference) => isPodReference(reference, pod) && reference.uid !== pod.metadata.uid,
  );
}
