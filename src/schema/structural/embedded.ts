import type { ObjectMeta } from '../generated/types.ts';
import { conform } from '../decode/conform.ts';
import { jsonWord } from '../decode/go-types.ts';
import { messageOf } from '#base/errors.ts';
import type { FieldError } from '../field-error.ts';
import { renderValue } from '../validation/bad-value.ts';
import { ErrorList } from '../validation/error-list.ts';
import type { FieldPath } from '../validation/field-path.ts';
import { rootPath } from '../validation/field-path.ts';
import { dns1035LabelErrors, pathSegmentErrors } from '../validation/formats/names.ts';
import { checkObjectMeta } from '../validation/shared/object-meta.ts';
import { isMap } from './correlation.ts';
import type { Structural } from './structural.ts';

type Json = Readonly<Record<string, unknown>>;

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The fields of some metadata brought into form, and the names of those that it does not have. */
export interface ConformedMeta {
  readonly metadata: Json;
  readonly unknown: readonly string[];
}

/**
 * Brings metadata into form, as for built-in kinds. Throws an Error whose message is that of Go's
 * decoder for a field of the wrong type.
 */
export function conformMeta(metadata: unknown): ConformedMeta {
  if (!isMap(metadata)) {
    const word = jsonWord(metadata);
    throw new Error(`json: cannot unmarshal ${word} into Go value of type v1.ObjectMeta`);
  }
  try {
    const { object, warnings } = conform(metadata, objectMeta, 'Warn');
    const unknown = warnings.map(
      (text) => JSON.parse(text.slice('unknown field '.length)) as string,
    );
    return { metadata: object, unknown };
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(messageOf(cause ?? error), { cause: error });
  }
}

/**
 * Brings the metadata of embedded resources into form. Shares what stays the same with `value`;
 * throws an Error with upstream's text for metadata that cannot be read.
 */
export function conformEmbedded<T>(
  value: T,
  schema: Structural,
  onUnknown: (path: string) => void,
): T {
  return schema.hasEmbedded ? (coerce(value, schema, rootPath, onUnknown) as T) : value;
}

function coerce(
  value: unknown,
  schema: Structural,
  path: FieldPath,
  onUnknown: (path: string) => void,
): unknown {
  if (typeof value !== 'object' || value === null || !schema.hasEmbedded) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined || !items.hasEmbedded) return value;
    const after = value.map((item: unknown, i) => coerce(item, items, path.at(i), onUnknown));
    return after.some((item, index) => item !== value[index]) ? after : value;
  }
  const map = value as Record<string, unknown>;
  let result: Record<string, unknown> | undefined;
  for (const key in map) {
    const before = map[key];
    let after = before;
    if (schema.isEmbedded) after = coerceMeta(key, before, path, onUnknown);
    const below = schema.properties?.get(key);
    if (below !== undefined) after = coerce(after, below, path.child(key), onUnknown);
    else if (typeof schema.additional === 'object') {
      after = coerce(after, schema.additional, path.key(key), onUnknown);
    }
    if (after !== before) (result ??= { ...map })[key] = after;
  }
  return result ?? map;
}

function coerceMeta(
  key: string,
  value: unknown,
  path: FieldPath,
  onUnknown: (path: string) => void,
): unknown {
  const refuse = (why: string): never => {
    throw new Error(`${path.child(key).toString()}: Invalid value: ${renderValue(value)}: ${why}`);
  };
  if (key === 'apiVersion' || key === 'kind') {
    return typeof value === 'string' ? value : refuse('must be a string');
  }
  if (key !== 'metadata') return value;
  try {
    const { metadata, unknown } = conformMeta(value);
    for (const field of unknown) onUnknown(path.child('metadata').child(field).toString());
    return metadata;
  } catch (error) {
    return refuse(messageOf(error));
  }
}

/** What is wrong with the kinds, versions and metadata of embedded resources. */
export function validateEmbedded(
  value: unknown,
  schema: Structural,
  path: FieldPath = rootPath,
): FieldError[] {
  const errors = new ErrorList();
  if (schema.hasEmbedded) visit(errors, path, value, schema);
  return errors.errors;
}

function visit(errors: ErrorList, path: FieldPath, value: unknown, schema: Structural): void {
  if (typeof value !== 'object' || value === null || !schema.hasEmbedded) return;
  const { items, properties, additional } = schema;
  if (Array.isArray(value)) {
    if (items === undefined) return;
    value.forEach((item: unknown, index) => visit(errors, path.at(index), item, items));
    return;
  }
  const map = value as Record<string, unknown>;
  if (schema.isEmbedded) checkResource(errors, path, map);
  for (const key in map) {
    const property = properties?.get(key);
    if (property !== undefined) visit(errors, path.child(key), map[key], property);
    else if (typeof additional === 'object') visit(errors, path.key(key), map[key], additional);
  }
}

function checkResource(errors: ErrorList, path: FieldPath, resource: Json): void {
  const { apiVersion, kind, metadata } = resource;
  if (typeof apiVersion !== 'string') checkIsText(errors, path, 'apiVersion', apiVersion);
  else if (apiVersion === '') errors.required(path, 'apiVersion');
  else if (apiVersion.split('/').length > 2) {
    const text = `unexpected GroupVersion string: ${apiVersion}`;
    errors.invalid(path, 'apiVersion', apiVersion, text);
  }
  if (typeof kind !== 'string') checkIsText(errors, path, 'kind', kind);
  else if (kind === '') errors.required(path, 'kind');
  else {
    const messages = dns1035LabelErrors(kind.toLowerCase());
    const text = `may have mixed case, but should otherwise match: ${messages.join(',')}`;
    if (messages.length > 0) errors.invalid(path, 'kind', kind, text);
  }
  if (!isMap(metadata)) return;
  const meta = metadata as Partial<ObjectMeta>;
  const named = meta.name === undefined || meta.name === '' ? { ...meta, name: 'fakename' } : meta;
  const namespaced = meta.namespace !== undefined && meta.namespace !== '';
  const rules = { namespaced, name: pathSegmentErrors, kubeFinalizers: false };
  checkObjectMeta(errors, path.child('metadata'), named, rules);
}

function checkIsText(errors: ErrorList, path: FieldPath, field: string, value: unknown): void {
  if (value === undefined) errors.required(path, field);
  else errors.invalid(path, field, value, 'must be a string');
}
