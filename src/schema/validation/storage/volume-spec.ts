import type {
  CSIPersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
} from '../../generated/types.ts';
import {
  checkFormat,
  checkOneOf,
  checkOptionalFormat,
  requireFormat,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkNoBackstep } from '../formats/paths.ts';
import {
  checkCephMonitors,
  checkFibreChannel,
  checkFlexVolume,
  checkFlocker,
  checkHostPath,
  checkIscsi,
  checkNfs,
  checkPartition,
  checkStorageOs,
} from '../pods/volume-sources.ts';
import { longPortalText } from '../pods/volumes.ts';
import { checkNodeSelector } from '../shared/node-selector.ts';
import { isNegative, isNotPositive } from '../shared/quantities.ts';
import { isEmpty } from '../unchecked.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';
import { checkQuobyte } from '../pods/volume-sources.ts';
import { checkCsiDriverName } from './csi-driver-name.ts';
import { checkAccessModes, volumeModes } from './pvc-spec.ts';

type Spec = Unchecked<PersistentVolumeSpec>;

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
const inlineText = 'may not be specified in the context of inline volumes';

/** In upstream's order; the second names the field as errors do. */
export const volumeSources = [
  ['hostPath', 'hostPath'],
  ['gcePersistentDisk', 'gcePersistentDisk'],
  ['awsElasticBlockStore', 'awsElasticBlockStore'],
  ['glusterfs', 'glusterfs'],
  ['flocker', 'flocker'],
  ['nfs', 'nfs'],
  ['rbd', 'rbd'],
  ['quobyte', 'quobyte'],
  ['cephfs', 'cephFS'],
  ['iscsi', 'iscsi'],
  ['cinder', 'cinder'],
  ['fc', 'fc'],
  ['flexVolume', 'flexVolume'],
  ['azureFile', 'azureFile'],
  ['vsphereVolume', 'vsphereVolume'],
  ['photonPersistentDisk', 'photonPersistentDisk'],
  ['portworxVolume', 'portworxVolume'],
  ['azureDisk', 'azureDisk'],
  ['scaleIO', 'scaleIO'],
  ['local', 'local'],
  ['storageos', 'storageos'],
  ['csi', 'csi'],
] as const;
type SourceField = (typeof volumeSources)[number][0];

/** The spec of a volume; `isInline` for one that an attachment carries in itself. */
export function checkVolumeSpec(
  errors: ErrorList,
  path: FieldPath,
  name: string,
  spec: Spec,
  isInline: boolean,
): void {
  if (isInline) {
    if (spec.claimRef !== undefined) errors.forbidden(path, 'claimRef', inlineText);
    if (!isEmpty(spec.capacity)) errors.forbidden(path, 'capacity', inlineText);
    if (spec.csi === undefined) {
      errors.required(path, 'csi', 'has to be specified in the context of inline volumes');
    }
  }
  checkAccessModes(errors, path, spec.accessModes, '', undefined);
  if (!isInline) checkCapacity(errors, path, spec);
  const policy = spec.persistentVolumeReclaimPolicy;
  if (isInline && policy !== 'Retain') {
    const detail = 'may only be Retain in the context of inline volumes';
    errors.forbidden(path, 'persistentVolumeReclaimPolicy', detail);
  } else checkOneOf(errors, path, 'persistentVolumeReclaimPolicy', policy, reclaimPolicies);
  checkAffinity(errors, path, spec, isInline);
  checkSources(errors, path, name, spec);
  if (spec.hostPath?.path === '/' && policy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.forbidden(path, 'persistentVolumeReclaimPolicy', detail);
  }
  checkClasses(errors, path, spec, isInline);
}

function checkCapacity(errors: ErrorList, path: FieldPath, { capacity }: Spec): void {
  if (isEmpty(capacity)) errors.required(path, 'capacity');
  if (capacity?.['storage'] === undefined || Object.keys(capacity).length > 1) {
    errors.notSupported(path, 'capacity', capacity ?? null, ['storage']);
  }
  for (const key in capacity) {
    const amount = capacity[key] ?? '0';
    const at = path.child('capacity').key(key);
    if (isNegative(amount)) errors.invalid(at, '', amount, 'must be a valid resource quantity');
    if (isNotPositive(amount)) errors.invalid(at, '', amount, 'must be greater than zero');
  }
}

function checkAffinity(
  errors: ErrorList,
  path: FieldPath,
  { nodeAffinity, local }: Spec,
  isInline: boolean,
): void {
  if (nodeAffinity !== undefined) {
    const at = path.child('nodeAffinity');
    if (isInline) errors.forbidden(at, '', inlineText);
    else if (nodeAffinity.required === undefined) {
      errors.required(at, 'required', 'must specify required node constraints');
    } else checkNodeSelector(errors, at.child('required'), nodeAffinity.required);
  }
  if (local !== undefined && nodeAffinity?.required === undefined) {
    errors.required(path, 'nodeAffinity', 'Local volume requires node affinity');
  }
}

function checkSources(errors: ErrorList, path: FieldPath, name: string, spec: Spec): void {
  let count = 0;
  for (const [field, spelling] of volumeSources) {
    if (spec[field] === undefined) continue;
    if (count++ > 0) {
      errors.forbidden(path, spelling, 'may not specify more than 1 volume type');
    } else checkSource(errors, path, field, spec);
  }
  const { iscsi } = spec;
  if (iscsi?.initiatorName !== undefined && `${name}:${iscsi.targetPortal ?? ''}`.length > 64) {
    errors.invalid(path, 'iscsi.targetportal', iscsi.targetPortal ?? '', longPortalText);
  }
  if (count === 0) errors.required(path, '', 'must specify a volume type');
}

const requiredTexts: Readonly<Partial<Record<SourceField, readonly string[]>>> = {
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  cinder: ['volumeID'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
};

function checkSource(errors: ErrorList, path: FieldPath, field: SourceField, spec: Spec): void {
  const at = path.child(field === 'gcePersistentDisk' ? 'persistentDisk' : field);
  const source = spec[field] as StringMap;
  for (const text of requiredTexts[field] ?? []) requireText(errors, at, text, source[text]);
  if (spec.hostPath !== undefined && field === 'hostPath') checkHostPath(errors, at, spec.hostPath);
  if (field === 'gcePersistentDisk') checkPartition(errors, at, spec[field]?.partition);
  if (field === 'awsElasticBlockStore') checkPartition(errors, at, spec[field]?.partition);
  if (field === 'flocker') checkFlocker(errors, at, spec.flocker ?? {});
  if (field === 'nfs') checkNfs(errors, at, spec.nfs ?? {});
  if (field === 'rbd' || field === 'cephfs') checkCephMonitors(errors, at, spec[field]?.monitors);
  if (field === 'rbd') requireText(errors, at, 'image', spec.rbd?.image);
  if (field === 'iscsi') {
    checkIscsi(errors, at, spec.iscsi ?? {}, 'must be valid format');
    if (spec.iscsi?.secretRef !== undefined) {
      requireText(errors, at, 'secretRef.name', spec.iscsi.secretRef.name);
    }
  }
  if (field === 'quobyte') checkQuobyte(errors, at, spec.quobyte ?? {});
  if (field === 'fc') checkFibreChannel(errors, at, spec.fc ?? {});
  if (field === 'flexVolume') checkFlexVolume(errors, at, spec.flexVolume ?? {});
  if (field === 'storageos') checkStorageOs(errors, at, spec.storageos ?? {});
  if (field === 'csi') checkCsi(errors, at, spec.csi ?? {});
  checkDetails(errors, at, field, spec);
}

/** References of sources that clusters still have but that are no longer made. */
function checkDetails(errors: ErrorList, at: FieldPath, field: SourceField, spec: Spec): void {
  if (field === 'glusterfs' && spec.glusterfs?.endpointsNamespace !== undefined) {
    const namespace = spec.glusterfs.endpointsNamespace;
    const detail = 'if the endpointnamespace is set, it must be a valid namespace name';
    if (namespace === '') errors.invalid(at, 'endpointsNamespace', '', detail);
    else checkFormat(errors, at, 'endpointsNamespace', namespace, dns1123LabelErrors);
  }
  if (field === 'cinder' && spec.cinder?.secretRef !== undefined) {
    requireText(errors, at, 'secretRef.name', spec.cinder.secretRef.name);
    requireText(errors, at, 'secretRef.namespace', spec.cinder.secretRef.namespace);
  }
  if (field === 'azureFile' && spec.azureFile?.secretNamespace === '') {
    errors.required(at, 'secretNamespace');
  }
  if (field === 'local') checkNoBackstep(errors, at, 'path', spec.local?.path ?? '');
}

const secretFields = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function checkCsi(
  errors: ErrorList,
  path: FieldPath,
  csi: Unchecked<CSIPersistentVolumeSource>,
): void {
  checkCsiDriverName(errors, path, 'driver', csi.driver);
  requireText(errors, path, 'volumeHandle', csi.volumeHandle);
  for (const field of secretFields) {
    const ref: Unchecked<SecretReference> | undefined = csi[field];
    if (ref === undefined) continue;
    const at = path.child(field);
    requireFormat(errors, at, 'name', ref.name, dns1123SubdomainErrors);
    requireFormat(errors, at, 'namespace', ref.namespace, dns1123LabelErrors);
  }
}

function checkClasses(errors: ErrorList, path: FieldPath, spec: Spec, isInline: boolean): void {
  const { storageClassName = '', volumeMode, volumeAttributesClassName: attributes } = spec;
  if (isInline && storageClassName !== '') errors.forbidden(path, 'storageClassName', inlineText);
  else
    checkOptionalFormat(errors, path, 'storageClassName', storageClassName, dns1123SubdomainErrors);
  if (isInline && volumeMode !== undefined && volumeMode !== 'Filesystem') {
    const detail =
      'may not specify volumeMode other than Filesystem in the context of inline volumes';
    errors.forbidden(path, 'volumeMode', detail);
  } else checkOneOf(errors, path, 'volumeMode', volumeMode, volumeModes);
  if (attributes === undefined) return;
  const field = 'volumeAttributesClassName';
  if (attributes === '') errors.required(path, field, 'an empty string is disallowed');
  else checkFormat(errors, path, field, attributes, dns1123SubdomainErrors);
  if (spec.csi === undefined) {
    errors.required(path, 'csi', 'has to be specified when using volumeAttributesClassName');
  }
}
