import type {
  CertificateSigningRequest,
  CustomResourceDefinition,
  PersistentVolumeClaim,
  Pod,
} from '../generated/types.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { linkDataSources } from './claim-data-sources.ts';
import { dropDisabledFields } from './disabled-fields.ts';
import { advanceGeneration } from './generation.ts';
import { hasStatus, isBuiltIn, resetFieldsOf, userMetadata } from './kind-rules.ts';
import { takeFrom } from './paths.ts';
import { keepStatusFacts } from './pod-status.ts';
import { keepEphemeralContainers, keepResize } from './pod-subresources.ts';
import { keepSecretNames } from './secret-references.ts';
import { dropTopology } from './slice-topology.ts';
import { storeVersion } from './stored-versions.ts';
import { setTemplateGeneration } from './template-generation.ts';

type Prepare = (object: UnknownObject, old: UnknownObject, subresource: string) => void;

/** By `group/Kind`: what upstream's strategy does instead of or after taking the reset fields. */
const special: Readonly<Record<string, Prepare>> = {
  '/PersistentVolumeClaim': (object, old, subresource) => {
    if (subresource !== '') return;
    linkDataSources((object as PersistentVolumeClaim).spec, (old as PersistentVolumeClaim).spec);
  },
  '/Pod': preparePod,
  '/ServiceAccount': (object) => keepSecretNames(object),
  'apiextensions.k8s.io/CustomResourceDefinition': (object, _old, subresource) => {
    if (subresource === '') storeVersion(object as unknown as CustomResourceDefinition);
  },
  'apps/DaemonSet': (object, old, subresource) => {
    if (subresource !== 'status') setTemplateGeneration(object, old);
  },
  'discovery.k8s.io/EndpointSlice': (object, old) => dropTopology(object, old),
};

/**
 * Takes from the stored object what a write through this subresource must not change, sets
 * generation and system metadata. Works in place on the fresh `object`; what it takes from `old`
 * is shared with it, so copy such a part (status after a spec write) before changing it.
 */
export function prepareForUpdate(
  info: ResourceInfo,
  object: UnknownObject,
  old: UnknownObject,
  subresource: string,
): void {
  const isStatus = subresource === 'status';
  if (!isBuiltIn(info)) prepareCustom(info, object, old, isStatus);
  else if (info.group === 'certificates.k8s.io' && subresource !== '') {
    prepareSigningRequest(object, old, subresource);
  } else {
    for (const path of resetFieldsOf(info, subresource)) {
      const paths = path === 'metadata' ? userMetadata : [path];
      for (const one of paths) takeFrom(object, old, one);
    }
    special[`${info.group}/${info.kind}`]?.(object, old, subresource);
    dropDisabledFields(info, object, old);
  }
  if (isStatus) takeFrom(object, old, 'metadata.generation');
  else advanceGeneration(info, object, old);
  keepSystemMetadata(object, old);
}

/** A custom resource's status write changes nothing but the status. */
function prepareCustom(
  info: ResourceInfo,
  object: UnknownObject,
  old: UnknownObject,
  isStatus: boolean,
): void {
  if (!hasStatus(info)) return;
  if (!isStatus) {
    takeFrom(object, old, 'status');
    return;
  }
  const { status } = object;
  const { resourceVersion, uid, managedFields } = object.metadata;
  for (const key of Object.keys(object)) if (!(key in old)) delete object[key];
  Object.assign(object, old);
  object.metadata = { ...old.metadata };
  delete object.metadata.managedFields;
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
  if (uid !== undefined) object.metadata.uid = uid;
  if (status === undefined) delete object['status'];
  else object['status'] = status;
}

function preparePod(object: UnknownObject, old: UnknownObject, subresource: string): void {
  const pod = object as Pod;
  const stored = old as Pod;
  if (subresource === 'ephemeralcontainers') keepEphemeralContainers(pod, stored);
  else if (subresource === 'resize') keepResize(pod, stored);
  else if (subresource === 'status') keepStatusFacts(pod, stored);
}

/** Who approves must not sign, and who signs must not approve. */
function prepareSigningRequest(
  object: UnknownObject,
  old: UnknownObject,
  subresource: string,
): void {
  takeFrom(object, old, 'spec');
  const request = object as unknown as CertificateSigningRequest;
  const stored = (old as unknown as CertificateSigningRequest).status;
  const given = request.status?.conditions ?? [];
  if (subresource === 'approval') {
    request.status = { ...stored, conditions: given };
  } else {
    const conditions = keptDecisions(given, stored?.conditions ?? []);
    request.status = { ...request.status, conditions };
  }
  if (request.status.conditions?.length === 0) delete request.status.conditions;
}

type SigningConditions = NonNullable<CertificateSigningRequest['status']>['conditions'] & {};

/** Decisions stay as stored; validation refuses a write that adds or removes one. */
function keptDecisions(given: SigningConditions, stored: SigningConditions): SigningConditions {
  const kept = [...given];
  for (const decision of ['Approved', 'Denied']) {
    const before = stored.filter(({ type }) => type === decision);
    const places = kept.flatMap(({ type }, index) => (type === decision ? [index] : []));
    if (before.length !== places.length) continue;
    for (const [i, condition] of before.entries()) kept[places[i] ?? 0] = condition;
  }
  return kept;
}

/** As upstream's BeforeUpdate: an update can neither change nor remove what the system wrote. */
function keepSystemMetadata(object: UnknownObject, old: UnknownObject): void {
  const { metadata } = object;
  const stored = old.metadata;
  delete metadata.selfLink;
  if (stored.uid !== undefined && (metadata.uid === undefined || metadata.uid === '')) {
    metadata.uid = stored.uid;
  }
  if (stored.creationTimestamp !== undefined) {
    metadata.creationTimestamp = stored.creationTimestamp;
  }
  if (stored.deletionTimestamp !== undefined) {
    metadata.deletionTimestamp = stored.deletionTimestamp;
  }
  const grace = stored.deletionGracePeriodSeconds;
  if (grace !== undefined && metadata.deletionGracePeriodSeconds === undefined) {
    metadata.deletionGracePeriodSeconds = grace;
  }
}
