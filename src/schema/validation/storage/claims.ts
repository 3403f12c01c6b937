import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkImmutable, checkFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { annotationsPath, rootPath, specPath, statusPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { describeChange } from '../pods/spec-change.ts';
import { compareQuantities, isNegative } from '../shared/quantities.ts';
import { isEmpty } from '../unchecked.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';
import { checkPvcSpec } from './pvc-spec.ts';

type Claim = Unchecked<PersistentVolumeClaim>;
type Spec = Unchecked<PersistentVolumeClaimSpec>;

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const changeText =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];

export const claimRules: KindRules<PersistentVolumeClaim> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }) {
    checkPvcSpec(errors, specPath, spec);
  },
  update: checkClaimUpdate,
  subresources: {
    status(errors, { spec = {}, status = {} }) {
      if (isEmpty(spec.accessModes)) errors.required(rootPath.child('Spec'), 'accessModes');
      for (const name in status.capacity) {
        checkNotNegative(errors, 'capacity', name, status.capacity[name] ?? '0');
      }
      checkResizeStatuses(errors, status.allocatedResourceStatuses);
      checkAllocated(errors, status.allocatedResources);
    },
  },
};

function checkNotNegative(errors: ErrorList, field: string, name: string, amount: string): void {
  if (!isNegative(amount)) return;
  const path = statusPath.child(field).key(name);
  errors.invalid(path, '', amount, 'must be a valid resource quantity');
}

function isUnknownResource(name: string): boolean {
  const isKube = !name.includes('/') || (name.split('/')[0] ?? '').endsWith('kubernetes.io');
  return isKube && name !== 'storage';
}

function checkResizeStatuses(errors: ErrorList, statuses: StringMap | undefined): void {
  const field = 'allocatedResourceStatuses';
  for (const name in statuses) {
    checkFormat(errors, statusPath, field, name, labelKeyErrors);
    if (isUnknownResource(name)) errors.notSupported(statusPath, field, name, ['storage']);
    if (resizeStates.includes(statuses[name] ?? '')) continue;
    errors.notSupported(statusPath, field, name, resizeStates);
  }
}

function checkAllocated(errors: ErrorList, amounts: StringMap | undefined): void {
  for (const name in amounts) {
    if (isUnknownResource(name)) {
      errors.notSupported(statusPath, 'allocatedResources', name, ['storage']);
    }
    checkNotNegative(errors, 'allocatedResources', name, amounts[name] ?? '0');
  }
}

function checkClaimUpdate(errors: ErrorList, claim: Claim, old: Claim): void {
  const spec = claim.spec ?? {};
  const before = old.spec ?? {};
  const annotation = claim.metadata?.annotations?.[classAnnotation];
  const oldAnnotation = old.metadata?.annotations?.[classAnnotation];
  checkImmutable(errors, annotationsPath, classAnnotation, annotation, oldAnnotation);
  const isBound = old.status?.phase === 'Bound';
  const wanted = withAllowedChanges(spec, before, isBound, oldAnnotation);
  if (!jsonEqual(spec, wanted)) {
    errors.forbidden(specPath, '', `${changeText}\n${describeChange(spec, wanted)}`);
  }
  checkShrink(errors, claim, old);
  checkImmutable(errors, rootPath, 'volumeMode', spec.volumeMode, before.volumeMode);
  checkAttributesClass(errors, claim, old);
}

/** The stored spec with what may change: a first volume or class, and sizes of bound claims. */
function withAllowedChanges(
  spec: Spec,
  old: Spec,
  isBound: boolean,
  oldAnnotation: string | undefined,
): Spec {
  const wanted: { -readonly [K in keyof Spec]: Spec[K] } = { ...old };
  if ((old.volumeName ?? '') === '') wanted.volumeName = spec.volumeName;
  const takesClass =
    old.storageClassName === undefined &&
    (oldAnnotation === undefined || oldAnnotation === spec.storageClassName);
  if (takesClass && spec.storageClassName !== undefined) {
    wanted.storageClassName = spec.storageClassName;
  }
  if (isBound) {
    const storage = spec.resources?.requests?.['storage'];
    const requests = { ...old.resources?.requests, storage };
    wanted.resources = { ...old.resources, requests };
    wanted.volumeAttributesClassName = spec.volumeAttributesClassName;
  }
  return wanted;
}

/** A claim grows; it shrinks only as far as an expansion that has not come through. */
function checkShrink(errors: ErrorList, claim: Claim, old: Claim): void {
  const size = claim.spec?.resources?.requests?.['storage'];
  const before = old.spec?.resources?.requests?.['storage'];
  if (size === undefined || before === undefined || compareQuantities(size, before) >= 0) return;
  const capacity = old.status?.capacity?.['storage'];
  if (capacity !== undefined && compareQuantities(size, capacity) > 0) return;
  const detail = 'field can not be less than status.capacity';
  errors.forbidden(specPath, 'resources.requests.storage', detail);
}

function checkAttributesClass(errors: ErrorList, claim: Claim, old: Claim): void {
  if (old.status?.currentVolumeAttributesClassName === undefined) return;
  const name = claim.spec?.volumeAttributesClassName;
  if (name === old.spec?.volumeAttributesClassName || (name !== undefined && name !== '')) return;
  const what = name === undefined ? 'nil' : 'empty string';
  const detail = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  errors.forbidden(specPath, 'volumeAttributesClassName', detail);
}
