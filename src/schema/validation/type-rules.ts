import { jsonEqual } from '../patch/json-equal.ts';
import type { FieldInfo, TypeInfo, ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { ErrorList } from './error-list.ts';
import type { FieldPath } from './field-path.ts';
import { rootPath } from './field-path.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Objects may nest as deep as their types; JSON schemas without end. */
const maxDepth = 32;
const metaType = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/**
 * What the type table itself says of an object, for kinds without rules of their own: required
 * fields are there, and enumerations that the API enforces have one of their values. Parts that are
 * as they were in `old` are passed over.
 */
export function checkTypeRules(
  errors: ErrorList,
  typeName: string,
  object: object,
  old: object | undefined,
): void {
  const type = typeTable.type(typeName);
  if (type !== undefined) checkStruct(errors, rootPath, type, object as Fields, old as Fields, 0);
}

function checkStruct(
  errors: ErrorList,
  path: FieldPath,
  type: TypeInfo,
  value: Fields,
  old: Fields | undefined,
  depth: number,
): void {
  if (type.name === metaType) return;
  for (const field of type.fields.values()) {
    // A status is written by components, which upstream trusts to leave out what they do not know.
    if (depth === 0 && field.name === 'status') continue;
    const part = value[field.name];
    if (part === undefined) {
      if (field.required && isNeeded(field)) errors.required(path, field.name);
    } else if (old === undefined || !jsonEqual(part, old[field.name])) {
      checkPart(errors, path, field, part, old?.[field.name], depth);
    }
  }
}

/** An absent number is 0 and an absent list is empty; only texts and parts are missed. */
function isNeeded(field: FieldInfo): boolean {
  return (field.kind === 'scalar' && field.scalar === 'string') || field.kind === 'struct';
}

function checkPart(
  errors: ErrorList,
  path: FieldPath,
  field: FieldInfo,
  part: unknown,
  old: unknown,
  depth: number,
): void {
  if (field.enum?.isEnforced === true) {
    checkEnum(errors, path, field, part);
    return;
  }
  if (field.required && part === '') errors.required(path, field.name);
  if (field.kind !== 'scalar') checkValue(errors, path.child(field.name), field, part, old, depth);
}

function checkEnum(errors: ErrorList, path: FieldPath, field: FieldInfo, part: unknown): void {
  const values = field.enum?.values ?? [];
  if (Array.isArray(part)) {
    const at = path.child(field.name);
    part.forEach((item, index) => {
      if (!values.includes(String(item))) errors.notSupported(at, index, item, values);
    });
  } else if (part === '' && field.required) errors.required(path, field.name);
  else if (part !== '' && !values.includes(String(part))) {
    errors.notSupported(path, field.name, part, values);
  }
}

function checkValue(
  errors: ErrorList,
  path: FieldPath,
  info: ValueInfo,
  value: unknown,
  old: unknown,
  depth: number,
): void {
  if (depth > maxDepth || typeof value !== 'object' || value === null) return;
  if (info.kind === 'struct') {
    const type = typeTable.type(info.typeName ?? '');
    if (type !== undefined) {
      checkStruct(errors, path, type, value as Fields, asFields(old), depth + 1);
    }
    return;
  }
  const { element } = info;
  if (element === undefined || element.kind === 'scalar' || element.kind === 'untyped') return;
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      checkValue(errors, path.at(index), element, item, undefined, depth + 1);
    });
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    checkValue(errors, path.key(key), element, item, asFields(old)?.[key], depth + 1);
  }
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}
