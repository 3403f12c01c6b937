import { RE2JS } from 're2js';
import { jsonEqual } from '../../patch/json-equal.ts';
import { ErrorList } from '../error-list.ts';
import type { FieldError } from '../../field-error.ts';
import { specPath } from '../field-path.ts';
import type { FieldPath } from '../field-path.ts';
import { isSchema, maxSchemaDepth } from './json-schema.ts';
import type { Schema } from './json-schema.ts';

/** What a node is to the schema around it. */
type Place = 'root' | 'items' | 'properties';

const combiners = ['allOf', 'anyOf', 'oneOf'] as const;
const intOrString = [{ type: 'integer' }, { type: 'string' }];

const missingType: Readonly<Record<Place, string>> = {
  root: 'must not be empty at the root',
  items: 'must not be empty for specified array items',
  properties: 'must not be empty for specified object fields',
};

/** Fields that shape values, which have no place where values are only judged. */
const shaping: ReadonlyArray<readonly [field: string, empty: string]> = [
  ['type', 'empty'],
  ['additionalProperties', 'undefined'],
  ['default', 'undefined'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  ['externalDocs', 'undefined'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
];

/**
 * Whether a schema is structural: each node outside of combiners has a type, and combiners only
 * judge what is said outside of them. Errors come sorted by their text, as upstream gives them.
 */
export function checkStructure(errors: ErrorList, path: FieldPath, schema: Schema): void {
  const found = new ErrorList();
  checkNode(found, path, schema, 'root', 0);
  checkCompleteness(found, path, schema, 0);
  const line = ({ field, message }: { field: string; message: string }): string =>
    `${field}: ${message}`;
  const sorted = [...found.errors].sort((a, b) => (line(a) < line(b) ? -1 : 1));
  errors.addAll(sorted);
}

/** The same for a version of a definition that is stored already. */
export function structureErrors(version: number, schema: unknown): readonly FieldError[] {
  if (!isSchema(schema)) return [];
  const path = specPath.child('versions').at(version).child('schema.openAPIV3Schema');
  const found = new ErrorList();
  checkStructure(found, path, schema);
  return found.errors;
}

function partsOf(schema: Schema): {
  items: Schema | undefined;
  properties: Readonly<Record<string, Schema>>;
  additional: Schema | undefined;
} {
  const { items, properties, additionalProperties } = schema as Record<string, unknown>;
  const known = Object.entries(isSchema(properties) ? properties : {}).filter(([, part]) =>
    isSchema(part),
  );
  return {
    items: isSchema(items) ? items : undefined,
    properties: Object.fromEntries(known) as Record<string, Schema>,
    additional: isSchema(additionalProperties) ? additionalProperties : undefined,
  };
}

function checkNode(
  errors: ErrorList,
  path: FieldPath,
  schema: Schema,
  place: Place,
  depth: number,
): void {
  if (depth > maxSchemaDepth) return;
  const type = schema['type'] ?? '';
  const { items, properties, additional } = partsOf(schema);
  if (type === 'array' && schema['items'] === undefined) {
    errors.required(path, 'items', 'must be specified');
  }
  if (items !== undefined) checkNode(errors, path.child('items'), items, 'items', depth + 1);
  for (const [name, part] of Object.entries(properties)) {
    checkNode(errors, path.child('properties').key(name), part, 'properties', depth + 1);
  }
  if (additional !== undefined) {
    if (place === 'root') {
      errors.forbidden(path, 'additionalProperties', 'must not be used at the root');
    }
    checkNode(errors, path.child('additionalProperties'), additional, 'properties', depth + 1);
  }
  const isMixed = schema['x-kubernetes-int-or-string'] === true;
  const isFree = isMixed || schema['x-kubernetes-preserve-unknown-fields'] === true;
  for (const field of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource']) {
    if (!isMixed || schema[field] !== true) continue;
    errors.invalid(path, field, true, 'must be false if x-kubernetes-int-or-string is true');
  }
  checkValues(errors, path, schema, depth);
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    if (type === '') errors.required(path, 'type', detail);
    else errors.invalid(path, 'type', type, detail);
  } else if (type === '' && !isFree) errors.required(path, 'type', missingType[place]);
  if (isEmbedded && additional !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.forbidden(path, 'additionalProperties', detail);
  }
  if (place === 'root' && type !== '' && type !== 'object') {
    errors.invalid(path, 'type', type, 'must be object at the root');
  }
  if (place === 'root' || isEmbedded) checkObjectFields(errors, path, properties, place);
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (isEmbedded && !preserves && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.required(path, 'properties', detail);
  }
}

/** Of metadata a schema may restrict nothing but the name. */
function checkObjectFields(
  errors: ErrorList,
  path: FieldPath,
  properties: Readonly<Record<string, Schema>>,
  place: Place,
): void {
  const at = path.child('properties');
  for (const name of ['kind', 'apiVersion']) {
    const part = properties[name];
    if (part === undefined || part['type'] === 'string') continue;
    errors.invalid(at.key(name), 'type', part['type'] ?? '', 'must be string');
  }
  const { metadata } = properties;
  if (metadata === undefined) return;
  if (metadata['type'] !== 'object') {
    errors.invalid(at.key('metadata'), 'type', metadata['type'] ?? '', 'must be object');
  }
  if (place !== 'root') return;
  const { type: _type, default: _default, properties: fields, ...rest } = metadata;
  const names = Object.keys(isSchema(fields) ? fields : {});
  const isPlain = names.every((name) => name === 'name' || name === 'generateName');
  if (isPlain && Object.keys(rest).length === 0) return;
  const detail =
    'must not specify anything other than name and generateName, but metadata is implicitly specified';
  errors.forbidden(at.key('metadata'), '', detail);
}

function checkPattern(errors: ErrorList, path: FieldPath, pattern: unknown): void {
  if (typeof pattern !== 'string' || pattern === '') return;
  try {
    void RE2JS.compile(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `must be a valid regular expression, but isn't: ${why}`;
    errors.invalid(path, 'pattern', pattern, detail);
  }
}

/** Combiners of a node: inside them, only judgements. The two ways to say int-or-string pass. */
function checkValues(errors: ErrorList, path: FieldPath, schema: Schema, depth: number): void {
  checkPattern(errors, path, schema['pattern']);
  if (depth > maxSchemaDepth) return;
  for (const field of combiners) {
    const list = schema[field];
    if (!Array.isArray(list)) continue;
    if (field === 'anyOf' && jsonEqual(list, intOrString)) continue;
    list.forEach((part: unknown, index) => {
      if (!isSchema(part)) return;
      const { anyOf, ...rest } = part as Record<string, unknown>;
      const isMixed = field === 'allOf' && index === 0 && jsonEqual(anyOf, intOrString);
      checkNested(errors, path.child(field).at(index), isMixed ? rest : part, depth + 1);
    });
  }
  if (isSchema(schema['not'])) checkNested(errors, path.child('not'), schema['not'], depth + 1);
}

function checkNested(errors: ErrorList, path: FieldPath, schema: Schema, depth: number): void {
  checkValues(errors, path, schema, depth);
  if (depth > maxSchemaDepth) return;
  const { items, properties } = partsOf(schema);
  if (items !== undefined) checkNested(errors, path.child('items'), items, depth + 1);
  for (const [name, part] of Object.entries(properties)) {
    checkNested(errors, path.child('properties').key(name), part, depth + 1);
  }
  for (const [field, empty] of shaping) {
    const value = schema[field];
    if (value === undefined || value === '' || value === false) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    errors.forbidden(path, field, `must be ${empty} to be structural`);
  }
  if (properties['metadata'] !== undefined) {
    const at = path.child('properties').key('metadata');
    errors.forbidden(at, '', 'must not be specified in a nested context');
  }
}

/** Fields that combiners judge have to be declared outside of them. */
function checkCompleteness(
  errors: ErrorList,
  path: FieldPath,
  schema: Schema,
  depth: number,
): void {
  if (depth > maxSchemaDepth) return;
  forEachJudgement(path, schema, (part, at) => {
    compare(errors, path, schema, part, at, depth + 1);
  });
  const { items, properties, additional } = partsOf(schema);
  if (items !== undefined) checkCompleteness(errors, path.child('items'), items, depth + 1);
  for (const [name, part] of Object.entries(properties)) {
    checkCompleteness(errors, path.child('properties').key(name), part, depth + 1);
  }
  if (additional !== undefined) {
    checkCompleteness(errors, path.child('additionalProperties'), additional, depth + 1);
  }
}

function forEachJudgement(
  path: FieldPath,
  schema: Schema,
  visit: (part: Schema, at: FieldPath) => void,
): void {
  for (const field of combiners) {
    const list = schema[field];
    if (!Array.isArray(list)) continue;
    list.forEach((part: unknown, index) => {
      if (isSchema(part)) visit(part, path.child(field).at(index));
    });
  }
  if (isSchema(schema['not'])) visit(schema['not'], path.child('not'));
}

function compare(
  errors: ErrorList,
  path: FieldPath,
  declared: Schema | undefined,
  judged: Schema,
  judgedPath: FieldPath,
  depth: number,
): void {
  if (depth > maxSchemaDepth) return;
  if (declared === undefined) {
    errors.required(path, '', `because it is defined in ${judgedPath.toString()}`);
    return;
  }
  forEachJudgement(judgedPath, judged, (part, at) => {
    compare(errors, path, declared, part, at, depth + 1);
  });
  const { items, properties } = partsOf(judged);
  const outside = partsOf(declared);
  if (items !== undefined) {
    const at = judgedPath.child('items');
    compare(errors, path.child('items'), outside.items, items, at, depth + 1);
  }
  for (const [name, part] of Object.entries(properties)) {
    const at = judgedPath.child('properties').key(name);
    const place = path.child('properties').key(name);
    compare(errors, place, outside.properties[name], part, at, depth + 1);
  }
}
