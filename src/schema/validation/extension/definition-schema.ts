import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';

/** A JSON schema as decoding leaves it; parts of several forms are not described by its type. */
type Schema = Readonly<Record<string, unknown>>;

/** How deep a schema is looked into; deeper ones are taken as they are. */
const maxDepth = 64;
const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const mapTypes = ['atomic', 'granular'];
const listTypes = ['atomic', 'set', 'map'];
const forbidden = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies'];
const combiners = ['allOf', 'anyOf', 'oneOf'] as const;

/** What a node is to the schema around it. */
type Place = 'root' | 'items' | 'properties' | 'nested';

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The basics of a definition's schema: every node has a type, and nothing is used that custom
 * resources do not have. Rules in CEL, costs and defaults are not looked at.
 */
export function checkSchema(errors: ErrorList, path: FieldPath, schema: object): void {
  if (!isSchema(schema)) return;
  if (schema['nullable'] === true) {
    errors.forbidden(path, 'nullable', 'nullable cannot be true at the root');
  }
  checkStructure(errors, path, schema, 'root', 0);
  checkNode(errors, path, schema, 0);
}

/** The structural part, which upstream reports before everything else. */
function checkStructure(
  errors: ErrorList,
  path: FieldPath,
  schema: Schema,
  place: Place,
  depth: number,
): void {
  if (depth > maxDepth) return;
  const type = schema['type'] ?? '';
  const isFree =
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  const missing: Readonly<Record<string, string>> = {
    root: 'must not be empty at the root',
    items: 'must not be empty for specified array items',
    properties: 'must not be empty for specified object fields',
  };
  const text = missing[place];
  if (type === '' && !isFree && text !== undefined) errors.required(path, 'type', text);
  if (place === 'root' && type !== '' && type !== 'object') {
    errors.invalid(path, 'type', type, 'must be object at the root');
  }
  if (place === 'root' && isSchema(schema['additionalProperties'])) {
    errors.forbidden(path, 'additionalProperties', 'must not be used at the root');
  }
  if (type === 'array' && schema['items'] === undefined) {
    errors.required(path, 'items', 'must be specified');
  }
  if (place === 'nested') return;
  const { items, properties, additionalProperties } = schema as {
    items?: unknown;
    properties?: unknown;
    additionalProperties?: unknown;
  };
  if (isSchema(items)) checkStructure(errors, path.child('items'), items, 'items', depth + 1);
  if (isSchema(properties)) {
    for (const [name, part] of Object.entries(properties)) {
      if (!isSchema(part)) continue;
      const at = path.child('properties').key(name);
      checkStructure(errors, at, part, 'properties', depth + 1);
    }
  }
  if (isSchema(additionalProperties)) {
    const at = path.child('additionalProperties');
    checkStructure(errors, at, additionalProperties, 'properties', depth + 1);
  }
}

function checkNode(errors: ErrorList, path: FieldPath, schema: Schema, depth: number): void {
  if (depth > maxDepth) return;
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
  const isClosed = additionalProperties === undefined || additionalProperties === false;
  if (!isClosed && isSchema(properties) && Object.keys(properties).length > 0) {
    const detail = 'additionalProperties and properties are mutual exclusive';
    errors.forbidden(path, 'additionalProperties', detail);
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const detail = 'must be true or undefined';
    errors.invalid(path, 'x-kubernetes-preserve-unknown-fields', false, detail);
  }
  checkPattern(errors, path, schema['pattern']);
  checkTopology(errors, path, schema);
  checkChildren(errors, path, schema, depth);
}

/** Upstream's expressions know less than ours: what does not compile here is wrong for sure. */
function checkPattern(errors: ErrorList, path: FieldPath, pattern: unknown): void {
  if (typeof pattern !== 'string' || pattern === '') return;
  try {
    void new RegExp(pattern.replace(/\(\?([a-zA-Z]+)\)/g, '').replaceAll('(?P<', '(?<'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `must be a valid regular expression, but isn't: ${why}`;
    errors.invalid(path, 'pattern', pattern, detail);
  }
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
  const hasKeys = Array.isArray(keys) && keys.length > 0;
  if (hasKeys && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (listType === undefined) errors.required(path, 'x-kubernetes-list-type', detail);
    else errors.invalid(path, 'x-kubernetes-list-type', listType, detail);
  }
  if (listType !== 'map') return;
  if (!hasKeys) {
    const detail = 'must not be empty if x-kubernetes-list-type is map';
    errors.required(path, 'x-kubernetes-list-map-keys', detail);
  } else checkMapKeys(errors, path, schema['items'], keys.map(String));
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
  if (items['type'] !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.invalid(path, 'items.type', items['type'] ?? '', detail);
  }
  const properties = isSchema(items['properties']) ? items['properties'] : {};
  const required = Array.isArray(items['required']) ? items['required'] : [];
  const seen = new Set<string>();
  keys.forEach((key, index) => {
    const at = path.child('x-kubernetes-list-map-keys');
    const property = properties[key];
    if (!isSchema(property)) {
      errors.invalid(at, index, key, 'entries must all be names of item properties');
      return;
    }
    const place = path.child('items.properties').key(key);
    const type = property['type'];
    if (type === 'array' || type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.invalid(place, 'type', type, detail);
    }
    if (seen.has(key)) errors.invalid(at, index, key, 'must not contain duplicate entries');
    seen.add(key);
    if (!required.includes(key) && property['default'] === undefined) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.required(place, 'default', detail);
    }
  });
}

function checkChildren(errors: ErrorList, path: FieldPath, schema: Schema, depth: number): void {
  const { items, additionalProperties, properties, not } = schema as {
    items?: unknown;
    additionalProperties?: unknown;
    properties?: unknown;
    not?: unknown;
  };
  if (Array.isArray(items)) {
    errors.forbidden(path, 'items', 'items must be a schema object and not an array');
  } else if (isSchema(items)) checkNode(errors, path.child('items'), items, depth + 1);
  if (isSchema(additionalProperties)) {
    checkNode(errors, path.child('additionalProperties'), additionalProperties, depth + 1);
  }
  for (const [name, part] of Object.entries(isSchema(properties) ? properties : {})) {
    if (isSchema(part)) checkNode(errors, path.child('properties').key(name), part, depth + 1);
  }
  if (isSchema(not)) checkNode(errors, path.child('not'), not, depth + 1);
  for (const field of combiners) {
    const list = schema[field];
    if (!Array.isArray(list)) continue;
    list.forEach((part: unknown, index) => {
      if (isSchema(part)) checkNode(errors, path.child(field).at(index), part, depth + 1);
    });
  }
}
