import type { PersistentVolume, VolumeAttachment } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkFormat, checkImmutable, checkRange, immutableText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath, specPath, statusPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { describeChange } from '../pods/spec-change.ts';
import { totalBytes } from '../shared/object-meta.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkCsiDriverName } from './csi-driver-name.ts';
import { checkVolumeSpec, volumeSources } from './volume-spec.ts';

type VolumeIn = Unchecked<PersistentVolume>;
type Sources = Record<string, unknown>;

export const volumeRules: KindRules<PersistentVolume> = {
  name: dns1123SubdomainErrors,
  check(errors, { metadata, spec = {} }) {
    checkVolumeSpec(errors, specPath, metadata?.name ?? '', spec, false);
  },
  update(errors, volume, old) {
    const spec = volume.spec ?? {};
    const before = old.spec ?? {};
    checkSameSource(errors, volume, old);
    checkImmutable(errors, rootPath, 'volumeMode', spec.volumeMode, before.volumeMode);
    checkSameAffinity(errors, volume, old);
    if (before.volumeAttributesClassName === undefined) return;
    if (spec.volumeAttributesClassName !== undefined) return;
    const detail = 'update from non-nil value to nil is forbidden';
    errors.forbidden(specPath, 'volumeAttributesClassName', detail);
  },
};

function checkSameSource(
  errors: ErrorList,
  { spec = {} }: VolumeIn,
  { spec: old = {} }: VolumeIn,
): void {
  const now: Sources = {};
  const before: Sources = {};
  for (const [field] of volumeSources) {
    now[field] = spec[field];
    before[field] = old[field];
  }
  if (old.csi !== undefined && old.csi.controllerExpandSecretRef === undefined) {
    const { controllerExpandSecretRef } = spec.csi ?? {};
    before['csi'] = { ...old.csi, controllerExpandSecretRef };
  }
  if (jsonEqual(now, before)) return;
  const detail = 'spec.persistentvolumesource is immutable after creation';
  const change = describeChange(now, before);
  errors.forbidden(specPath, 'persistentvolumesource', `${detail}\n${change}`);
}

const topologyLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** Where a volume can be used is fixed; labels may get the names they have today. */
function checkSameAffinity(errors: ErrorList, { spec }: VolumeIn, { spec: old }: VolumeIn): void {
  const before = old?.nodeAffinity;
  const now = spec?.nodeAffinity;
  if (before === undefined || jsonEqual(now, before)) return;
  const terms = (before.required?.nodeSelectorTerms ?? []).map((term, index) => ({
    ...term,
    matchExpressions: term.matchExpressions?.map((expression, place) => {
      const other = now?.required?.nodeSelectorTerms?.[index]?.matchExpressions?.[place]?.key;
      const isRenamed = other !== undefined && topologyLabels[expression.key ?? ''] === other;
      return isRenamed ? { ...expression, key: other } : expression;
    }),
  }));
  if (jsonEqual(now, { required: { nodeSelectorTerms: terms } })) return;
  const detail = 'field is immutable, except for updating from beta label to GA';
  errors.invalid(rootPath, 'nodeAffinity', now ?? null, detail);
}

const maxMetadataBytes = 262144;
const maxMessageCharacters = 1024;

export const volumeAttachmentRules: KindRules<VolumeAttachment> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {}, status }, old) {
    checkCsiDriverName(errors, specPath, 'attacher', spec.attacher);
    checkAttachmentSource(errors, spec.source ?? {}, old === undefined);
    checkFormat(errors, specPath, 'nodeName', spec.nodeName, dns1123SubdomainErrors);
    checkAttachmentStatus(errors, status);
  },
  update(errors, { spec }, { spec: old }) {
    if (!jsonEqual(spec, old)) errors.invalid(rootPath, 'spec', spec ?? null, immutableText);
  },
  subresources: {
    status(errors, { status }) {
      checkAttachmentStatus(errors, status);
    },
  },
};

function checkAttachmentSource(
  errors: ErrorList,
  source: NonNullable<NonNullable<Unchecked<VolumeAttachment>['spec']>['source']>,
  isNew: boolean,
): void {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  const path = specPath.child('source');
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inline === undefined && name === undefined) errors.required(path, '', detail);
  if (inline !== undefined && name !== undefined) errors.forbidden(path, '', detail);
  else if (name === '') {
    errors.required(path, 'persistentVolumeName', 'must specify non empty persistentVolumeName');
  } else if (inline !== undefined) {
    checkVolumeSpec(errors, path.child('inlineVolumeSpec'), '', inline, true);
  }
  if (isNew && name !== undefined && name !== '') {
    checkFormat(errors, path, 'persistentVolumeName', name, dns1123SubdomainErrors);
  }
}

function checkAttachmentStatus(
  errors: ErrorList,
  status: Unchecked<VolumeAttachment>['status'],
): void {
  if (status === undefined) return;
  if (totalBytes(status.attachmentMetadata ?? {}) > maxMetadataBytes) {
    errors.tooLong(statusPath, 'attachmentMetadata', maxMetadataBytes);
  }
  for (const field of ['attachError', 'detachError'] as const) {
    const error = status[field];
    if (error === undefined) continue;
    const path = statusPath.child(field);
    if ((error.message?.length ?? 0) > maxMessageCharacters) {
      errors.tooLong(path, 'message', maxMetadataBytes);
    }
    checkRange(errors, path, 'errorCode', error.errorCode, 0, 2147483647);
  }
}
