/** Sources that volumes of pods and persistent volumes have in common, and those of pods alone. */
import type {
  AzureDiskVolumeSource,
  EphemeralVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
} from '../../generated/types.ts';
import {
  checkFormat,
  checkOneOf,
  checkOptionalFormat,
  checkRange,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import { checkNoBackstep } from '../formats/paths.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkPvcSpec } from '../storage/pvc-spec.ts';
import { checkTemplateMeta } from '../shared/object-meta.ts';

export const hostPathTypes: readonly string[] = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

export function checkHostPath(
  errors: ErrorList,
  path: FieldPath,
  source: Unchecked<HostPathVolumeSource>,
): void {
  if (requireText(errors, path, 'path', source.path)) {
    checkNoBackstep(errors, path, 'path', source.path);
  }
  checkOneOf(errors, path, 'type', source.type, hostPathTypes);
}

/** Google's and Amazon's disks, of which one partition may be named. */
export function checkPartition(
  errors: ErrorList,
  path: FieldPath,
  partition: number | undefined,
): void {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return;
  errors.invalid(path, 'partition', partition, 'must be between 1 and 255, inclusive');
}

export function checkNfs(
  errors: ErrorList,
  path: FieldPath,
  source: { readonly server?: string | undefined; readonly path?: string | undefined },
): void {
  requireText(errors, path, 'server', source.server);
  requireText(errors, path, 'path', source.path);
  const text = source.path ?? '';
  if (!text.startsWith('/')) errors.invalid(path, 'path', text, 'must be an absolute path');
}

const initiators: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

export function checkIscsi(
  errors: ErrorList,
  path: FieldPath,
  source: Unchecked<ISCSIVolumeSource>,
  prefixText = 'must be valid format starting with iqn, eui, or naa',
): void {
  requireText(errors, path, 'targetPortal', source.targetPortal);
  if (requireText(errors, path, 'iqn', source.iqn)) {
    checkInitiator(errors, path, 'iqn', source.iqn, prefixText);
  }
  checkRange(errors, path, 'lun', source.lun, 0, 255);
  const hasChap = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (hasChap && source.secretRef === undefined) errors.required(path, 'secretRef');
  if (source.initiatorName !== undefined) {
    checkInitiator(errors, path, 'initiatorname', source.initiatorName, prefixText);
  }
}

function checkInitiator(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  name: string,
  prefixText: string,
): void {
  const pattern = initiators[name.slice(0, 3)];
  if (pattern === undefined) errors.invalid(path, field, name, prefixText);
  else if (!pattern.test(name)) errors.invalid(path, field, name, 'must be valid format');
}

export function checkFlocker(
  errors: ErrorList,
  path: FieldPath,
  { datasetName = '', datasetUUID = '' }: Unchecked<FlockerVolumeSource>,
): void {
  if (datasetName === '' && datasetUUID === '') {
    errors.required(path, '', 'one of datasetName and datasetUUID is required');
  }
  if (datasetName !== '' && datasetUUID !== '') {
    const detail = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.invalid(path, '', 'resource', detail);
  }
  if (datasetName.includes('/')) {
    errors.invalid(path, 'datasetName', datasetName, "must not contain '/'");
  }
}

export function checkFibreChannel(
  errors: ErrorList,
  path: FieldPath,
  { targetWWNs = [], wwids = [], lun }: Unchecked<FCVolumeSource>,
): void {
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.required(path, 'targetWWNs', 'must specify either targetWWNs or wwids, but not both');
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously';
    errors.invalid(path, 'targetWWNs', targetWWNs, detail);
  }
  if (targetWWNs.length === 0) return;
  if (lun === undefined) {
    errors.required(path, 'lun', 'lun is required if targetWWNs is specified');
  } else checkRange(errors, path, 'lun', lun, 0, 255);
}

export function checkFlexVolume(
  errors: ErrorList,
  path: FieldPath,
  source: {
    readonly driver?: string | undefined;
    readonly options?: Readonly<Record<string, string | undefined>> | undefined;
  },
): void {
  requireText(errors, path, 'driver', source.driver);
  for (const key in source.options) {
    const domain = (key.split('/')[0] ?? '').toLowerCase();
    const isReserved = ['kubernetes.io', 'k8s.io'].some(
      (name) => domain === name || domain.endsWith(`.${name}`),
    );
    if (!isReserved) continue;
    const detail = 'kubernetes.io and k8s.io namespaces are reserved';
    errors.invalid(path.child('options').key(key), '', key, detail);
  }
}

export function checkQuobyte(
  errors: ErrorList,
  path: FieldPath,
  { registry = '', tenant = '', volume }: Unchecked<QuobyteVolumeSource>,
): void {
  const detail = 'must be a host:port pair or multiple pairs separated by commas';
  if (registry === '') errors.required(path, 'registry', detail);
  else if (tenant.length >= 65) {
    const text = 'must be a UUID and may not exceed a length of 64 characters';
    errors.required(path, 'tenant', text);
  } else if (registry.split(',').some((part) => !/^(\[.*\]|[^:]*):[^:]*$/.test(part))) {
    errors.invalid(path, 'registry', registry, detail);
  }
  requireText(errors, path, 'volume', volume);
}

const cachingModes = ['None', 'ReadOnly', 'ReadWrite'];
const azureKinds = ['Dedicated', 'Managed', 'Shared'];
const managedUri =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobUri = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export function checkAzureDisk(
  errors: ErrorList,
  path: FieldPath,
  { diskName, diskURI = '', cachingMode, kind }: Unchecked<AzureDiskVolumeSource>,
): void {
  requireText(errors, path, 'diskName', diskName);
  requireText(errors, path, 'diskURI', diskURI);
  checkOneOf(errors, path, 'cachingMode', cachingMode, cachingModes);
  checkOneOf(errors, path, 'kind', kind, azureKinds);
  const isManaged = kind === 'Managed';
  if (isManaged && !diskURI.startsWith('/subscriptions/')) {
    errors.notSupported(path, 'diskURI', diskURI, [managedUri]);
  }
  if (kind !== undefined && !isManaged && !diskURI.startsWith('https://')) {
    errors.notSupported(path, 'diskURI', diskURI, [blobUri]);
  }
}

export function checkStorageOs(
  errors: ErrorList,
  path: FieldPath,
  source: {
    readonly volumeName?: string | undefined;
    readonly volumeNamespace?: string | undefined;
    readonly secretRef?: { readonly name?: string | undefined } | undefined;
  },
): void {
  if (requireText(errors, path, 'volumeName', source.volumeName)) {
    checkFormat(errors, path, 'volumeName', source.volumeName, dns1123LabelErrors);
  }
  checkOptionalFormat(errors, path, 'volumeNamespace', source.volumeNamespace, dns1123LabelErrors);
  if (source.secretRef !== undefined) {
    requireText(errors, path, 'secretRef.name', source.secretRef.name);
  }
}

export function checkCephMonitors(
  errors: ErrorList,
  path: FieldPath,
  monitors: readonly string[] | undefined,
): void {
  if (isEmpty(monitors)) errors.required(path, 'monitors');
}

export function checkEphemeralSource(
  errors: ErrorList,
  path: FieldPath,
  { volumeClaimTemplate: template }: Unchecked<EphemeralVolumeSource>,
): void {
  if (template === undefined) {
    errors.required(path, 'volumeClaimTemplate');
    return;
  }
  const at = path.child('volumeClaimTemplate');
  checkTemplateMeta(errors, at.child('metadata'), template.metadata);
  checkPvcSpec(errors, at.child('spec'), template.spec ?? {});
}
