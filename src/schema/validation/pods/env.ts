import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
} from '../../generated/types.ts';
import { checkFormat, checkOptionalFormat, requireFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import {
  asPrefix,
  configMapKeyErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  envVarNameErrors,
} from '../formats/names.ts';
import { checkNoBackstep } from '../formats/paths.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkFieldRef, checkResourceFieldRef } from './field-refs.ts';

const noSourceText =
  'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
const tooManyText = 'may not have more than one field specified at a time';
const objectNameErrors = asPrefix(dns1123SubdomainErrors);

export function checkEnv(
  errors: ErrorList,
  path: FieldPath,
  list: ReadonlyArray<Unchecked<EnvVar>> | undefined,
): void {
  if (list === undefined) return;
  for (let index = 0; index < list.length; index++) {
    const variable = list[index] ?? {};
    const at = path.at(index);
    requireFormat(errors, at, 'name', variable.name, envVarNameErrors);
    if (variable.valueFrom === undefined) continue;
    checkSource(errors, at.child('valueFrom'), variable.valueFrom, variable.value ?? '');
  }
}

function checkSource(
  errors: ErrorList,
  path: FieldPath,
  source: Unchecked<EnvVarSource>,
  value: string,
): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  let count = 0;
  if (fieldRef !== undefined) {
    count++;
    checkFieldRef(errors, path.child('fieldRef'), fieldRef, 'env');
  }
  if (resourceFieldRef !== undefined) {
    count++;
    checkResourceFieldRef(errors, path.child('resourceFieldRef'), resourceFieldRef, 'env');
  }
  if (configMapKeyRef !== undefined) {
    count++;
    const at = path.child('configMapKeyRef');
    checkFormat(errors, at, 'name', configMapKeyRef.name, dns1123SubdomainErrors);
    requireFormat(errors, at, 'key', configMapKeyRef.key, configMapKeyErrors);
  }
  if (secretKeyRef !== undefined) {
    count++;
    const at = path.child('secretKeyRef');
    checkFormat(errors, at, 'name', secretKeyRef.name, dns1123SubdomainErrors);
    requireFormat(errors, at, 'key', secretKeyRef.key, configMapKeyErrors);
  }
  if (fileKeyRef !== undefined) {
    count++;
    checkFileKey(errors, path.child('fileKeyRef'), fileKeyRef);
  }
  if (count === 0) errors.invalid(path, '', '', noSourceText);
  if (value !== '') {
    const detail = 'may not be specified when `value` is not empty';
    if (count > 0) errors.invalid(path, '', '', detail);
  } else if (count > 1) errors.invalid(path, '', '', tooManyText);
}

function checkFileKey(errors: ErrorList, path: FieldPath, ref: Unchecked<FileKeySelector>): void {
  requireFormat(errors, path, 'key', ref.key, envVarNameErrors);
  requireFormat(errors, path, 'volumeName', ref.volumeName, dns1123LabelErrors);
  if (requireText(errors, path, 'path', ref.path)) checkNoBackstep(errors, path, 'path', ref.path);
}

/** What is wrong with the number of sources is reported at the list. */
export function checkEnvFrom(
  errors: ErrorList,
  path: FieldPath,
  list: ReadonlyArray<Unchecked<EnvFromSource>> | undefined,
): void {
  if (list === undefined) return;
  for (let index = 0; index < list.length; index++) {
    const at = path.at(index);
    const { prefix, configMapRef, secretRef } = list[index] ?? {};
    checkOptionalFormat(errors, at, 'prefix', prefix, envVarNameErrors);
    if (configMapRef !== undefined) {
      requireFormat(errors, at, 'configMapRef.name', configMapRef.name, objectNameErrors);
    }
    if (secretRef !== undefined) {
      requireFormat(errors, at, 'secretRef.name', secretRef.name, objectNameErrors);
    }
    if (configMapRef === undefined && secretRef === undefined) {
      errors.invalid(path, '', '', 'must specify one of: `configMapRef` or `secretRef`');
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      errors.invalid(path, '', '', tooManyText);
    }
  }
}
