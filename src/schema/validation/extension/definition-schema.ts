import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkValidationRules } from './definition-rules.ts';
import { checkStructure } from './definition-structure.ts';
import { isSchema, maxSchemaDepth } from './json-schema.ts';
import type { Schema } from './json-schema.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const mapTypes = ['atomic', 'granular'];
const listTypes = ['atomic', 'set', 'map'];
const forbidden = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies'];
const systemFields = ['apiVersion', 'kind', 'metadata'];
const combiners = ['allOf', 'anyOf', 'oneOf'] as const;

/**
 * The basics of a definition's schema: every node has a type, and nothing is used that custom
 * resources do not have. Rules in CEL, costs and defaults are not looked at.
 */
export function checkSchema(errors: ErrorList, path: FieldPath, schema: object): void {
  if (!isSchema(schema)) return;
  if (schema['nullable'] === true) {
    errors.forbidden(path, 'nullable', 'nullable cannot be true at the root');
  }
  checkStructure(errors, path, schema);
  checkNode(errors, path, schema, 0, { isRoot: true, isMeta: false });
}

/** Fields that a schema with a status of its own may use at its root, with upstream's names. */
const rootFields: Readonly<Record<string, string>> = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
};

/** What the status subresource asks of the root: an object that can be split in two. */
export function checkStatusRoot(errors: ErrorList, path: FieldPath, schema: object): void {
  if (!isSchema(schema)) return;
  const type = schema['type'] ?? '';
  const isKnown = Object.keys(schema).every((field) => Object.hasOwn(rootFields, field));
  const end = 'at the root of the schema if the status subresource is enabled';
  if (!isKnown) {
    const names = Object.values(rootFields).join(' ');
    errors.invalid(path, '', schema, `only [${names}] fields are allowed ${end}`);
  }
  if (type !== '' && type !== 'object') {
    errors.invalid(path, 'type', type, `only "object" is allowed as the type ${end}`);
  }
}

/** Whether a default stands anywhere in a schema. */
export function hasSchemaDefaults(schema: unknown, depth = 0): boolean {
  if (typeof schema !== 'object' || schema === null || depth > maxSchemaDepth) return false;
  if (Array.isArray(schema)) return schema.some((part) => hasSchemaDefaults(part, depth + 1));
  const { default: value, properties, ...rest } = schema as Record<string, unknown>;
  if (value !== undefined) return true;
  const parts = isSchema(properties) ? Object.values(properties) : [];
  return [...parts, ...Object.values(rest)].some((part) => hasSchemaDefaults(part, depth + 1));
}

/** Where a node is: at the root, or somewhere inside what all objects have. */
interface Place {
  readonly isRoot: boolean;
  readonly isMeta: boolean;
  /** Why there can be no defaults, there and below. */
  readonly noDefaults?: string;
}

const below: Place = { isRoot: false, isMeta: false };

function checkNode(
  errors: ErrorList,
  path: FieldPath,
  schema: Schema,
  depth: number,
  place: Place,
): void {
  if (depth > maxSchemaDepth) return;
  const type = schema['type'];
  if (type === 'null') {
    const detail = 'type cannot be set to null, use nullable as an alternative';
    errors.forbidden(path, 'type', detail);
  } else if (typeof type === 'string' && type !== '' && !types.includes(type)) {
    errors.notSupported(path, 'type', type, types);
  }
  for (const field of forbidden) {
    if (schema[field] !== undefined) errors.forbidden(path, field, `${field} is not supported`);
  }
  if (schema['$ref'] !== undefined) errors.forbidden(path, '$ref', '$ref is not supported');
  if (schema['uniqueItems'] === true) {
    const detail =
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.forbidden(path, 'uniqueItems', detail);
  }
  const { additionalProperties, properties } = schema as {
    additionalProperties?: unknown;
    properties?: unknown;
  };
  if (place.isMeta && schema['x-kubernetes-embedded-resource'] === true) {
    const detail = 'must not be used inside of resource meta';
    errors.forbidden(path, 'x-kubernetes-embedded-resource', detail);
  }
  if (place.noDefaults !== undefined && (schema['default'] ?? null) !== null) {
    errors.forbidden(path, 'default', `must not be set ${place.noDefaults}`);
  }
  // true says nothing that properties do not
  const isOpen = additionalProperties === undefined || additionalProperties === true;
  if (!isOpen && isSchema(properties) && Object.keys(properties).length > 0) {
    const detail = 'additionalProperties and properties are mutual exclusive';
    errors.forbidden(path, 'additionalProperties', detail);
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const detail = 'must be true or undefined';
    errors.invalid(path, 'x-kubernetes-preserve-unknown-fields', false, detail);
  }
  checkTopology(errors, path, schema);
  checkValidationRules(errors, path, schema);
  checkChildren(errors, path, schema, depth, place);
}

/** List and map types, which server-side apply goes by. */
function checkTopology(errors: ErrorList, path: FieldPath, schema: Schema): void {
  const type = schema['type'] ?? '';
  const mapType = schema['x-kubernetes-map-type'];
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  if (mapType !== undefined) {
    checkTypeIs(errors, path, type, 'object', 'x-kubernetes-map-type');
    if (!mapTypes.includes(String(mapType))) {
      errors.notSupported(path, 'x-kubernetes-map-type', mapType, mapTypes);
    }
  }
  if (listType !== undefined) {
    checkTypeIs(errors, path, type, 'array', 'x-kubernetes-list-type');
    if (!listTypes.includes(String(listType))) {
      errors.notSupported(path, 'x-kubernetes-list-type', listType, listTypes);
    }
  }
  const items = isSchema(schema['items']) ? schema['items'] : {};
  if (listType === 'set') checkSetItems(errors, path.child('items'), items);
  const hasKeys = Array.isArray(keys) && keys.length > 0;
  if (hasKeys && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (listType === undefined) errors.required(path, 'x-kubernetes-list-type', detail);
    else errors.invalid(path, 'x-kubernetes-list-type', listType, detail);
  }
  if ((listType === 'set' || listType === 'map') && items['nullable'] === true) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.forbidden(path.child('items'), 'nullable', detail);
  }
  if (listType !== 'map') return;
  if (!hasKeys) {
    const detail = 'must not be empty if x-kubernetes-list-type is map';
    errors.required(path, 'x-kubernetes-list-map-keys', detail);
  } else checkMapKeys(errors, path, schema['items'], keys.map(String));
}

/** Items of a set are compared as wholes. */
function checkSetItems(errors: ErrorList, path: FieldPath, items: Schema): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items['type'] === 'array' && listType !== undefined && listType !== 'atomic') {
    errors.invalid(path, 'x-kubernetes-list-type', listType, detail);
  }
  const mapType = items['x-kubernetes-map-type'];
  if (items['type'] === 'object' && mapType !== 'atomic') {
    errors.invalid(path, 'x-kubernetes-map-type', mapType ?? null, detail);
  }
}

function checkTypeIs(
  errors: ErrorList,
  path: FieldPath,
  type: unknown,
  wanted: string,
  marker: string,
): void {
  if (type === wanted) return;
  const detail = `must be ${wanted} if ${marker} is specified`;
  if (type === '') errors.required(path, 'type', detail);
  else errors.invalid(path, 'type', type, detail);
}

function checkMapKeys(
  errors: ErrorList,
  path: FieldPath,
  items: unknown,
  keys: readonly string[],
): void {
  if (!isSchema(items)) {
    errors.required(path, 'items', 'must have a schema if x-kubernetes-list-type is map');
    return;
  }
  const properties = isSchema(items['properties']) ? items['properties'] : {};
  if (items['type'] === 'object') checkKeyNames(errors, path, properties, keys);
  else {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.invalid(path, 'items.type', items['type'] ?? '', detail);
  }
  const required = Array.isArray(items['required']) ? items['required'] : [];
  for (const key of keys) {
    const property = properties[key];
    if (!isSchema(property)) continue;
    const place = path.child('items.properties').key(key);
    if (!required.includes(key) && property['default'] === undefined) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.required(place, 'default', detail);
    }
    if (property['nullable'] === true) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
      errors.forbidden(place, 'nullable', detail);
    }
  }
}

/** Keys are scalar properties of the items, each one once. */
function checkKeyNames(
  errors: ErrorList,
  path: FieldPath,
  properties: Schema,
  keys: readonly string[],
): void {
  const refuse = (detail: string): void => {
    errors.invalid(path, 'x-kubernetes-list-map-keys', keys, detail);
  };
  const seen = new Set<string>();
  for (const key of keys) {
    const property = properties[key];
    if (isSchema(property)) {
      const type = property['type'];
      if (type === 'array' || type === 'object') {
        const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.invalid(path.child('items.properties').key(key), 'type', type, detail);
      }
    } else refuse('entries must all be names of item properties');
    if (seen.has(key)) refuse('must not contain duplicate entries');
    seen.add(key);
  }
}

function checkChildren(
  errors: ErrorList,
  path: FieldPath,
  schema: Schema,
  depth: number,
  place: Place,
): void {
  const { items, additionalProperties, properties, not } = schema as Record<string, unknown>;
  const { noDefaults } = place;
  const kept = noDefaults === undefined ? {} : { noDefaults };
  const inside: Place = place.isMeta ? { isRoot: false, isMeta: true, ...kept } : below;
  const next = depth + 1;
  if (Array.isArray(items)) {
    errors.forbidden(path, 'items', 'items must be a schema object and not an array');
  } else if (isSchema(items)) checkNode(errors, path.child('items'), items, next, inside);
  if (isSchema(additionalProperties)) {
    const reason = 'inside additionalProperties applying to object metadata';
    const values: Place = place.isMeta ? { ...inside, noDefaults: reason } : inside;
    checkNode(errors, path.child('additionalProperties'), additionalProperties, next, values);
  }
  const isObject = place.isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, part] of Object.entries(isSchema(properties) ? properties : {})) {
    if (!isSchema(part)) continue;
    const at = path.child('properties').key(name);
    const isSystem = isObject && systemFields.includes(name);
    const isMeta = place.isMeta || isSystem;
    const why = isSystem && place.isRoot ? `in top-level ${name}` : noDefaults;
    const reasons = why === undefined ? {} : { noDefaults: why };
    checkNode(errors, at, part, next, { isRoot: false, isMeta, ...reasons });
  }
  if (isSchema(not)) checkNode(errors, path.child('not'), not, next, inside);
  for (const field of combiners) {
    const list = schema[field];
    if (!Array.isArray(list)) continue;
    list.forEach((part: unknown, index) => {
      if (isSchema(part)) checkNode(errors, path.child(field).at(index), part, next, inside);
    });
  }
}
