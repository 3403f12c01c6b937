import type { ConfigMap, Secret } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkFormat, checkImmutable } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { annotationsPath, rootPath } from '../field-path.ts';
import { configMapKeyErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';

const maxDataBytes = 1024 * 1024;
const dataPath = rootPath.child('data');
const binaryDataPath = rootPath.child('binaryData');
const frozenText = 'field is immutable when `immutable` is set';

export const configMapRules: KindRules<ConfigMap> = {
  name: dns1123SubdomainErrors,
  check(errors, { data, binaryData }) {
    let bytes = 0;
    for (const key in data) {
      checkFormat(errors, dataPath.key(key), '', key, configMapKeyErrors);
      if (binaryData?.[key] !== undefined) {
        errors.invalid(dataPath.key(key), '', key, 'duplicate of key present in binaryData');
      }
      bytes += Buffer.byteLength(data[key] ?? '');
    }
    for (const key in binaryData) {
      checkFormat(errors, binaryDataPath.key(key), '', key, configMapKeyErrors);
      bytes += decodedBytes(binaryData[key] ?? '');
    }
    if (bytes > maxDataBytes) errors.tooLong(rootPath, '', maxDataBytes);
  },
  update(errors, object, old) {
    if (old.immutable !== true) return;
    checkFrozen(errors, object, old, ['data', 'binaryData']);
  },
};

function checkFrozen(
  errors: ErrorList,
  object: Unchecked<ConfigMap | Secret>,
  old: Unchecked<ConfigMap | Secret>,
  fields: readonly string[],
): void {
  if (object.immutable !== true) errors.forbidden(rootPath, 'immutable', frozenText);
  for (const field of fields) {
    const values = [object, old].map((of) => (of as Record<string, object | undefined>)[field]);
    if (!jsonEqual(values[0] ?? {}, values[1] ?? {})) errors.forbidden(rootPath, field, frozenText);
  }
}

/** Bytes that a canonical base64 text stands for. */
function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

export const secretRules: KindRules<Secret> = {
  name: dns1123SubdomainErrors,
  check(errors, secret) {
    const { data } = secret;
    let bytes = 0;
    for (const key in data) {
      checkFormat(errors, dataPath.key(key), '', key, configMapKeyErrors);
      bytes += decodedBytes(data[key] ?? '');
    }
    if (bytes > maxDataBytes) errors.tooLong(rootPath, 'data', maxDataBytes);
    checkSecretType(errors, secret);
  },
  update(errors, object, old) {
    checkImmutable(errors, rootPath, 'type', object.type, old.type);
    if (old.immutable === true) checkFrozen(errors, object, old, ['data']);
  },
};

/** The keys that each well-known type of secret must have. */
function checkSecretType(errors: ErrorList, { type, metadata, data }: Unchecked<Secret>): void {
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const key = 'kubernetes.io/service-account.name';
      if ((metadata?.annotations?.[key] ?? '') === '') {
        errors.required(annotationsPath.key(key), '');
      }
      return;
    }
    case 'kubernetes.io/dockercfg':
      checkJsonKey(errors, data, '.dockercfg');
      return;
    case 'kubernetes.io/dockerconfigjson':
      checkJsonKey(errors, data, '.dockerconfigjson');
      return;
    case 'kubernetes.io/basic-auth':
      if (data?.['username'] === undefined && data?.['password'] === undefined) {
        errors.required(dataPath.key('username'), '');
        errors.required(dataPath.key('password'), '');
      }
      return;
    case 'kubernetes.io/ssh-auth':
      if ((data?.['ssh-privatekey'] ?? '') === '') {
        errors.required(dataPath.key('ssh-privatekey'), '');
      }
      return;
    case 'kubernetes.io/tls':
      for (const key of ['tls.crt', 'tls.key']) {
        if (data?.[key] === undefined) errors.required(dataPath.key(key), '');
      }
      return;
    default:
  }
}

function checkJsonKey(errors: ErrorList, data: StringMap | undefined, key: string): void {
  const path: FieldPath = dataPath.key(key);
  const text = data?.[key];
  if (text === undefined) {
    errors.required(path, '');
    return;
  }
  const detail = jsonObjectError(Buffer.from(text, 'base64').toString());
  if (detail !== undefined) errors.invalid(path, '', '<secret contents redacted>', detail);
}

function jsonObjectError(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (text === '') return 'unexpected end of JSON input';
    return `invalid character '${[...text][0] ?? ''}' looking for beginning of value`;
  }
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
  const word = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${word} into Go value of type map[string]interface {}`;
}
