import type { PodSpec, Volume } from '../../generated/types.ts';
import { requireFormat, requireOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkRelativePath } from '../formats/paths.ts';
import { isNegative } from '../shared/quantities.ts';
import { checkCsiDriverName } from '../storage/csi-driver-name.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';
import { pullPolicies } from './containers.ts';
import { checkDownwardFile } from './field-refs.ts';
import { checkFileMode, checkKeyPaths } from './key-paths.ts';
import { checkProjected } from './projected.ts';
import {
  checkAzureDisk,
  checkCephMonitors,
  checkEphemeralSource,
  checkFibreChannel,
  checkFlexVolume,
  checkFlocker,
  checkHostPath,
  checkIscsi,
  checkNfs,
  checkPartition,
  checkQuobyte,
  checkStorageOs,
} from './volume-sources.ts';

type VolumeIn = Unchecked<Volume>;
type SourceField = Exclude<keyof Volume, 'name'>;
type Source<K extends SourceField> = NonNullable<VolumeIn[K]>;

interface VolumeContext {
  readonly podName: string;
  readonly isTemplate: boolean;
}

interface SourceRules<K extends SourceField> {
  /** As upstream spells the field in errors, where it does not use its name. */
  readonly spelling?: string;
  check(errors: ErrorList, path: FieldPath, source: Source<K>, context: VolumeContext): void;
  /** The path that errors of `check` are reported below, when it is another one. */
  readonly inside?: string;
}

function requires<K extends SourceField>(
  ...fields: ReadonlyArray<keyof Source<K> & string>
): SourceRules<K> {
  return {
    check(errors, path, source) {
      for (const field of fields) requireText(errors, path, field, (source as StringMap)[field]);
    },
  };
}

/** In upstream's order, which decides which of two sources is one too many. */
const sources: { readonly [K in SourceField]: SourceRules<K> } = {
  emptyDir: {
    check(errors, path, { sizeLimit }) {
      if (sizeLimit === undefined || !isNegative(sizeLimit)) return;
      const detail = 'SizeLimit field must be a valid resource quantity';
      errors.forbidden(path, 'sizeLimit', detail);
    },
  },
  hostPath: { check: checkHostPath },
  gitRepo: {
    check(errors, path, { repository, directory = '' }) {
      requireText(errors, path, 'repository', repository);
      checkRelativePath(errors, path, 'directory', directory);
    },
  },
  gcePersistentDisk: {
    inside: 'persistentDisk',
    check(errors, path, { pdName, partition }) {
      requireText(errors, path, 'pdName', pdName);
      checkPartition(errors, path, partition);
    },
  },
  awsElasticBlockStore: {
    check(errors, path, { volumeID, partition }) {
      requireText(errors, path, 'volumeID', volumeID);
      checkPartition(errors, path, partition);
    },
  },
  secret: {
    check(errors, path, { secretName, defaultMode, items }) {
      requireText(errors, path, 'secretName', secretName);
      checkFileMode(errors, path, 'defaultMode', defaultMode);
      checkKeyPaths(errors, path, items);
    },
  },
  nfs: { check: checkNfs },
  iscsi: {
    check(errors, path, source) {
      checkIscsi(errors, path, source);
    },
  },
  glusterfs: requires('endpoints', 'path'),
  flocker: { check: checkFlocker },
  persistentVolumeClaim: requires('claimName'),
  rbd: {
    check(errors, path, { monitors, image }) {
      checkCephMonitors(errors, path, monitors);
      requireText(errors, path, 'image', image);
    },
  },
  cinder: {
    check(errors, path, { volumeID, secretRef }) {
      requireText(errors, path, 'volumeID', volumeID);
      if (secretRef !== undefined) requireText(errors, path, 'secretRef.name', secretRef.name);
    },
  },
  cephfs: {
    spelling: 'cephFS',
    check(errors, path, { monitors }) {
      checkCephMonitors(errors, path, monitors);
    },
  },
  quobyte: { check: checkQuobyte },
  downwardAPI: {
    spelling: 'downwarAPI',
    check(errors, path, { defaultMode, items }) {
      checkFileMode(errors, path, 'defaultMode', defaultMode);
      for (const file of items ?? []) checkDownwardFile(errors, path, file);
    },
  },
  fc: { check: checkFibreChannel },
  flexVolume: { check: checkFlexVolume },
  configMap: {
    check(errors, path, { name, defaultMode, items }) {
      requireText(errors, path, 'name', name);
      checkFileMode(errors, path, 'defaultMode', defaultMode);
      checkKeyPaths(errors, path, items);
    },
  },
  azureFile: requires('secretName', 'shareName'),
  vsphereVolume: requires('volumePath'),
  photonPersistentDisk: requires('pdID'),
  portworxVolume: requires('volumeID'),
  azureDisk: { check: checkAzureDisk },
  storageos: { check: checkStorageOs },
  projected: { check: checkProjected },
  scaleIO: requires('gateway', 'system', 'volumeName'),
  csi: {
    check(errors, path, { driver, nodePublishSecretRef }) {
      checkCsiDriverName(errors, path, 'driver', driver);
      if (nodePublishSecretRef === undefined) return;
      const { name } = nodePublishSecretRef;
      if (!requireText(errors, path, 'nodePublishSecretRef.name', name)) return;
      for (const detail of dns1123SubdomainErrors(name)) errors.invalid(path, 'name', name, detail);
    },
  },
  ephemeral: { check: checkEphemeralSource },
  image: {
    check(errors, path, { reference, pullPolicy }, { isTemplate }) {
      if (!isTemplate) requireText(errors, path, 'reference', reference);
      requireOneOf(errors, path, 'pullPolicy', pullPolicy, pullPolicies);
    },
  },
};
const sourceFields = Object.keys(sources) as SourceField[];

/** Checks the volumes of a pod and returns the valid ones by name. */
export function checkVolumes(
  errors: ErrorList,
  specPath: FieldPath,
  spec: Unchecked<PodSpec>,
  context: VolumeContext,
): Map<string, VolumeIn> {
  const valid = new Map<string, VolumeIn>();
  const volumes = spec.volumes ?? [];
  if (volumes.length === 0) return valid;
  const path = specPath.child('volumes');
  for (let index = 0; index < volumes.length; index++) {
    const volume = volumes[index] ?? {};
    const { name = '' } = volume;
    const at = path.at(index);
    const before = errors.count;
    checkSources(errors, at, volume, context);
    requireFormat(errors, at, 'name', name, dns1123LabelErrors);
    if (name !== '' && valid.has(name)) errors.duplicate(at, 'name', name);
    if (errors.count === before) valid.set(name, volume);
  }
  checkGeneratedClaims(errors, path, volumes, context);
  return valid;
}

function checkSources(
  errors: ErrorList,
  path: FieldPath,
  volume: VolumeIn,
  context: VolumeContext,
): void {
  let given = 0;
  for (const key in volume) {
    if (key !== 'name' && Object.hasOwn(sources, key)) given++;
  }
  if (given === 0) errors.required(path, '', 'must specify a volume type');
  if (given === 1) {
    for (const key in volume) {
      if (key !== 'name') checkSource(errors, path, key as SourceField, volume, context);
    }
    return;
  }
  let isFirst = true;
  for (const field of sourceFields) {
    if (volume[field] === undefined) continue;
    if (isFirst) checkSource(errors, path, field, volume, context);
    else {
      const spelling = sources[field].spelling ?? field;
      errors.forbidden(path, spelling, 'may not specify more than 1 volume type');
    }
    isFirst = false;
  }
}

function checkSource<K extends SourceField>(
  errors: ErrorList,
  path: FieldPath,
  field: K,
  volume: VolumeIn,
  context: VolumeContext,
): void {
  const source = volume[field];
  if (source === undefined) return;
  const rules: SourceRules<K> = sources[field];
  rules.check(errors, path.child(rules.inside ?? field), source, context);
  const { name = '' } = volume;
  if (volume.iscsi?.initiatorName !== undefined) {
    const portal = `${name}:${volume.iscsi.targetPortal ?? ''}`;
    if (portal.length <= 64) return;
    errors.invalid(path, 'name', name, longPortalText);
  }
  if (field !== 'ephemeral' || context.podName === '') return;
  const claim = `${context.podName}-${name}`;
  for (const detail of dns1123SubdomainErrors(claim)) {
    errors.invalid(path, 'name', name, `PVC name "${claim}": ${detail}`);
  }
}

export const longPortalText =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** A claim that a pod makes for itself cannot be mounted as if it had been there before. */
function checkGeneratedClaims(
  errors: ErrorList,
  path: FieldPath,
  volumes: readonly VolumeIn[],
  { podName }: VolumeContext,
): void {
  if (podName === '' || volumes.every((volume) => volume.ephemeral === undefined)) return;
  const claims = new Set<string>();
  for (const volume of volumes) {
    if (volume.ephemeral !== undefined) claims.add(`${podName}-${volume.name ?? ''}`);
  }
  volumes.forEach(({ persistentVolumeClaim: claim }, index) => {
    if (claim?.claimName === undefined || !claims.has(claim.claimName)) return;
    const detail = 'must not reference a PVC that gets created for an ephemeral volume';
    const at = path.at(index).child('persistentVolumeClaim');
    errors.invalid(at, 'claimName', claim.claimName, detail);
  });
}
