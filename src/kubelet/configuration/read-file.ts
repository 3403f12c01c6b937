import { parse } from 'yaml';
import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import type { FieldKind, JsonValue } from './field.ts';
import { fieldTable, findField } from './field-table.ts';

/** Values of fields by name; those of objects by name with dots. */
export type FieldValues = Record<string, JsonValue>;

/**
 * The fields that a configuration file sets. Throws a plain Error with upstream's text for what is
 * no KubeletConfiguration, for unknown fields and for values of the wrong type.
 */
export function readConfigurationText(text: string): FieldValues {
  const document = parse(text) as unknown;
  if (!isObject(document)) throw new Error('the file holds no KubeletConfiguration');
  const { apiVersion, kind, ...fields } = document;
  if (kind !== 'KubeletConfiguration' || apiVersion !== 'kubelet.config.k8s.io/v1beta1') {
    throw new Error(
      `no kind "${String(kind ?? '')}" is registered for version "${String(apiVersion ?? '')}": KubeletConfiguration of kubelet.config.k8s.io/v1beta1 expected`,
    );
  }
  const values: FieldValues = {};
  collect('', fields, values);
  return values;
}

function collect(prefix: string, fields: Record<string, JsonValue>, values: FieldValues): void {
  for (const [key, value] of Object.entries(fields)) {
    const name = `${prefix}${key}`;
    const field = findField(name);
    if (field === undefined) {
      const isParent = Object.keys(fieldTable).some((other) => other.startsWith(`${name}.`));
      if (!isParent) throw new Error(`strict decoding error: unknown field "${name}"`);
      if (isObject(value)) collect(`${name}.`, value, values);
      else if (value !== null) throw typeError(name, value, 'object');
      continue;
    }
    if (value === null) continue;
    if (!isOfKind(field.kind, value)) throw typeError(name, value, field.kind);
    if (field.kind === 'duration') checkDuration(name, String(value));
    values[name] = value;
  }
}

function checkDuration(name: string, text: string): void {
  try {
    parseDuration(text);
  } catch (error) {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfKind(kind: FieldKind, value: JsonValue): boolean {
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'duration':
    case 'text':
      return typeof value === 'string';
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'objects':
      return Array.isArray(value) && value.every(isObject);
    case 'map':
      return isObject(value) && Object.values(value).every((one) => isScalar(one));
    case 'object':
      return isObject(value);
  }
}

function isScalar(value: JsonValue): boolean {
  return ['string', 'boolean', 'number'].includes(typeof value);
}

const goTypes: Readonly<Record<FieldKind, string>> = {
  boolean: 'bool',
  integer: 'int32',
  number: 'float64',
  duration: 'string',
  text: 'string',
  texts: '[]string',
  objects: '[]object',
  map: 'map[string]string',
  object: 'object',
};

/** As Go's JSON decoder says it. */
function typeError(name: string, value: JsonValue, kind: FieldKind): Error {
  const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const shown = found === 'boolean' ? 'bool' : found;
  return new Error(
    `json: cannot unmarshal ${shown} into Go struct field KubeletConfiguration.${name} of type ${goTypes[kind]}`,
  );
}

/** Later values win; maps are merged by key. */
export function mergeFields(before: FieldValues, after: FieldValues): FieldValues {
  const merged = { ...before };
  for (const [name, value] of Object.entries(after)) {
    const known = merged[name];
    const kind = findField(name)?.kind;
    const isMerged = (kind === 'map' || kind === 'object') && isObject(known) && isObject(value);
    merged[name] = isMerged ? { ...known, ...value } : value;
  }
  return merged;
}
