import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import type { Format } from '../checks.ts';
import { checkFormat, checkMaxBytes, notNegativeText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors, maskTrailingDash } from '../formats/names.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';

export interface MetaRules {
  readonly namespaced: boolean;
  readonly name: Format;
  /** Finalizers without a domain must be those that the server itself knows. */
  readonly kubeFinalizers: boolean;
}

const maxAnnotationsBytes = 262144;
const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** The metadata of an object that is created. */
export function checkObjectMeta(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta>,
  rules: MetaRules,
): void {
  checkMetaOfUpdate(errors, path, meta, rules);
  checkFinalizers(errors, path, meta.finalizers, rules.kubeFinalizers);
}

/** The part of checkObjectMeta that updates go through too. */
export function checkMetaOfUpdate(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta>,
  rules: Omit<MetaRules, 'kubeFinalizers'>,
): void {
  checkNames(errors, path, meta, rules);
  if ((meta.generation ?? 0) < 0) {
    errors.invalid(path, 'generation', meta.generation, notNegativeText);
  }
  if (meta.labels !== undefined) checkLabels(errors, path, 'labels', meta.labels);
  if (meta.annotations !== undefined) {
    checkAnnotations(errors, path, 'annotations', meta.annotations);
  }
  if (meta.ownerReferences !== undefined) checkOwners(errors, path, meta.ownerReferences);
  if (meta.managedFields !== undefined) checkManagedFields(errors, path, meta.managedFields);
}

function checkNames(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta>,
  rules: Omit<MetaRules, 'kubeFinalizers'>,
): void {
  const { name, generateName, namespace } = meta;
  if (generateName !== undefined && generateName !== '') {
    for (const detail of rules.name(maskTrailingDash(generateName))) {
      errors.invalid(path, 'generateName', generateName, detail);
    }
  }
  if (name === undefined || name === '') {
    errors.required(path, 'name', 'name or generateName is required');
  } else checkFormat(errors, path, 'name', name, rules.name);
  const hasNamespace = namespace !== undefined && namespace !== '';
  if (!rules.namespaced) {
    if (hasNamespace) errors.forbidden(path, 'namespace', 'not allowed on this type');
  } else if (hasNamespace) checkFormat(errors, path, 'namespace', namespace, dns1123LabelErrors);
  else errors.required(path, 'namespace');
}

/** Every error is reported at the map: upstream gives the key as the bad value. */
export function checkLabels(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  labels: StringMap,
): void {
  for (const key in labels) {
    checkFormat(errors, path, field, key, labelKeyErrors);
    checkFormat(errors, path, field, labels[key], labelValueErrors);
  }
}

export function checkAnnotations(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  annotations: StringMap,
): void {
  let characters = 0;
  for (const key in annotations) {
    characters += key.length + (annotations[key]?.length ?? 0);
    const messages = labelKeyErrors(key.toLowerCase());
    for (const detail of messages) errors.invalid(path, field, key, detail);
  }
  if (characters * 3 <= maxAnnotationsBytes) return;
  if (totalBytes(annotations) > maxAnnotationsBytes) {
    errors.tooLong(path, field, maxAnnotationsBytes);
  }
}

/** Bytes of all keys and values. */
export function totalBytes(map: StringMap): number {
  let bytes = 0;
  for (const key in map) bytes += Buffer.byteLength(key) + Buffer.byteLength(map[key] ?? '');
  return bytes;
}

function checkOwners(
  errors: ErrorList,
  path: FieldPath,
  owners: ReadonlyArray<Unchecked<OwnerReference>>,
): void {
  let controller: Unchecked<OwnerReference> | undefined;
  for (const owner of owners) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = owner;
    if (apiVersion === '' || apiVersion.endsWith('/')) {
      errors.invalid(path, 'ownerReferences.apiVersion', apiVersion, 'version must not be empty');
    }
    if (kind === '') errors.invalid(path, 'ownerReferences.kind', kind, 'must not be empty');
    if (name === '') errors.invalid(path, 'ownerReferences.name', name, 'must not be empty');
    if (uid === '') errors.invalid(path, 'ownerReferences.uid', uid, 'must not be empty');
    if (apiVersion === 'v1' && kind === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner';
      errors.invalid(path, 'ownerReferences', owner, detail);
    }
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const both = `${controller.kind}/${controller.name} and ${kind}/${name}`;
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${both}`;
      errors.invalid(path, 'ownerReferences', owners, detail);
    }
    controller ??= owner;
  }
}

function checkFinalizers(
  errors: ErrorList,
  path: FieldPath,
  finalizers: readonly string[] | undefined,
  isKube: boolean,
): void {
  if (finalizers === undefined || finalizers.length === 0) return;
  for (const name of finalizers) checkFormat(errors, path, 'finalizers', name, labelKeyErrors);
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.invalid(path, 'finalizers', finalizers, detail);
  }
  if (!isKube) return;
  for (const name of finalizers) checkStandardFinalizer(errors, path, 'finalizers', name);
}

/** A finalizer is one of the server's or has a domain. */
export function checkStandardFinalizer(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  name: string,
): void {
  if (name.includes('/') || standardFinalizers.includes(name)) return;
  const detail = 'name is neither a standard finalizer name nor is it fully qualified';
  errors.invalid(path, field, name, detail);
}

function checkManagedFields(
  errors: ErrorList,
  path: FieldPath,
  entries: ReadonlyArray<Unchecked<ManagedFieldsEntry>>,
): void {
  const fieldsPath = path.child('managedFields');
  for (let index = 0; index < entries.length; index++) {
    const { operation = '', fieldsType = '', manager, subresource } = entries[index] ?? {};
    const at = fieldsPath.at(index);
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.invalid(at, 'operation', operation, 'must be `Apply` or `Update`');
    }
    if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
      errors.invalid(at, 'fieldsType', fieldsType, 'must be `FieldsV1`');
    }
    checkFieldManager(errors, at, 'manager', manager ?? '');
    checkMaxBytes(errors, at, 'subresource', subresource, 256);
  }
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;
const printableChar = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** The name of a field manager, of an entry or of a request. */
export function checkFieldManager(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  manager: string,
): void {
  checkMaxBytes(errors, path, field, manager, 128);
  if (printable.test(manager)) return;
  let position = 0;
  for (const char of manager) {
    if (!printableChar.test(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      const detail = `invalid character U+${code} (at position ${position})`;
      errors.invalid(path, field, manager, detail);
    }
    position += Buffer.byteLength(char);
  }
}

const metaFields: ReadonlyArray<keyof ObjectMeta> = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** The metadata that claims made from a template start with: labels and annotations alone. */
export function checkTemplateMeta(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta> | undefined,
): void {
  if (meta === undefined) return;
  if (meta.annotations !== undefined) {
    checkAnnotations(errors, path, 'annotations', meta.annotations);
  }
  if (meta.labels !== undefined) checkLabels(errors, path, 'labels', meta.labels);
  for (const field of metaFields) {
    const value = meta[field];
    if (value === undefined || value === '' || value === 0) continue;
    if (!Array.isArray(value) || value.length > 0) errors.forbidden(path, field, 'cannot be set');
  }
}
