import type { Node, Pod } from '#schema/types.ts';

import { notFound } from '../../api-errors.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { isMirrorPod } from '../match.ts';
import { sameJson } from '../same-json.ts';
import { apiReferenceOf } from './api-references.ts';

/** Why a node may not create this pod: it must be a mirror of a static pod, and refer to nothing. */
export function mirrorPodRefusal(
  node: string,
  attributes: AdmissionAttributes,
  findNode: () => Node | undefined,
): string | undefined {
  const pod = attributes.object as unknown as Pod;
  if (!isMirrorPod(pod)) {
    return `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) {
    return `node "${node}" can only create pods with spec.nodeName set to itself`;
  }
  return ownerRefusal(node, pod, findNode) ?? referenceRefusal(node, pod);
}

function ownerRefusal(
  node: string,
  pod: Pod,
  findNode: () => Node | undefined,
): string | undefined {
  const owners = pod.metadata.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length > 1) {
    return `node "${node}" can only create pods with a single owner reference set to itself`;
  }
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `node "${node}" can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) {
    return `node "${node}" can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion === true) {
    return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  }
  const stored = findNode();
  if (stored === undefined) throw notFound({ group: '', resource: 'node' }, node);
  if (owner.uid === stored.metadata.uid) return undefined;
  return `node ${node} UID mismatch: expected ${owner.uid} got ${stored.metadata.uid ?? ''}`;
}

function referenceRefusal(node: string, pod: Pod): string | undefined {
  let reference: string | undefined;
  try {
    reference = apiReferenceOf(pod);
  } catch (error) {
    return `error checking mirror pod for API references: ${(error as Error).message}`;
  }
  if (reference === undefined) return undefined;
  return `node "${node}" can not create pods that reference ${reference}`;
}

/** Why a node may not write this status: the pod runs elsewhere, or more than status changed. */
export function podStatusRefusal(
  node: string,
  attributes: AdmissionAttributes,
): string | undefined {
  const pod = attributes.object as unknown as Pod;
  const old = attributes.oldObject as unknown as Pod;
  if (old.spec?.nodeName !== node) {
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!sameJson(pod.metadata.labels ?? {}, old.metadata.labels ?? {})) {
    return `node "${node}" cannot update labels through pod status`;
  }
  const claims = (of: Pod) => of.status?.resourceClaimStatuses ?? [];
  if (!sameJson(claims(pod), claims(old))) {
    return `node "${node}" cannot update resource claim statues`;
  }
  const extended = (of: Pod) => of.status?.extendedResourceClaimStatus;
  if (!sameJson(extended(pod), extended(old))) {
    return `node "${node}" cannot update extended resource claim status`;
  }
  return undefined;
}
