import { catalog } from '../catalog.ts';
import type {
  FieldInfo,
  ScalarType,
  TypeInfo,
  UntypedForm,
  ValueInfo,
} from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { descriptionsOf } from './descriptions.ts';
import type { Dialect, GroupVersionKindExtension, JsonSchema } from './json-schema.ts';
import { refTo } from './json-schema.ts';

export const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const extensionsPackage = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Scalars that have a type of their own in the documents. */
const namedScalars: Readonly<Partial<Record<ScalarType, string>>> = {
  time: `${metaPackage}.Time`,
  'micro-time': `${metaPackage}.MicroTime`,
  duration: `${metaPackage}.Duration`,
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  'int-or-string': 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
};

const plainScalars: Readonly<Partial<Record<ScalarType, JsonSchema>>> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bool: { type: 'boolean' },
  byte: { type: 'string', format: 'byte' },
};

const untypedNames: Readonly<Record<UntypedForm, string>> = {
  object: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: `${extensionsPackage}.JSON`,
  'schema-or-list': `${extensionsPackage}.JSONSchemaPropsOrArray`,
  'schema-or-bool': `${extensionsPackage}.JSONSchemaPropsOrBool`,
  'schema-or-strings': `${extensionsPackage}.JSONSchemaPropsOrStringArray`,
};

/** Types that are not in the table because they have no fields. */
const opaqueTypes: Readonly<Record<string, (dialect: Dialect) => JsonSchema>> = {
  [`${metaPackage}.Time`]: () => ({ type: 'string', format: 'date-time' }),
  [`${metaPackage}.MicroTime`]: () => ({ type: 'string', format: 'date-time' }),
  [`${metaPackage}.Duration`]: () => ({ type: 'string' }),
  [`${metaPackage}.FieldsV1`]: () => ({ type: 'object' }),
  [`${metaPackage}.Patch`]: () => ({ type: 'object' }),
  'io.k8s.apimachinery.pkg.runtime.RawExtension': () => ({ type: 'object' }),
  'io.k8s.apimachinery.pkg.api.resource.Quantity': ({ version }) =>
    version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ({ version }) =>
    version === 2
      ? { type: 'string', format: 'int-or-string' }
      : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  [`${extensionsPackage}.JSON`]: () => ({}),
  [`${extensionsPackage}.JSONSchemaPropsOrArray`]: () => ({}),
  [`${extensionsPackage}.JSONSchemaPropsOrBool`]: () => ({}),
  [`${extensionsPackage}.JSONSchemaPropsOrStringArray`]: () => ({}),
};

/** Packages of the built-in groups: io.k8s.api.core.v1 -> core group, v1. */
const packages = new Map<string, { group: string; version: string }>();
for (const { typeName, group, version } of catalog.all) {
  packages.set(typeName.slice(0, typeName.lastIndexOf('.')), { group, version });
}

/** The OpenAPI name of a built-in kind, whether it is a resource or not (Scale, Eviction). */
export function typeNameOf(kind: GroupVersionKindExtension): string | undefined {
  for (const [name, { group, version }] of packages) {
    if (group !== kind.group || version !== kind.version) continue;
    const typeName = `${name}.${kind.kind}`;
    if (typeTable.type(typeName) !== undefined) return typeName;
  }
  return undefined;
}

const metaKinds =
  /^(APIGroup|APIGroupList|APIResourceList|APIVersions|Status|DeleteOptions|WatchEvent)$/;

function kindsOf(type: TypeInfo): GroupVersionKindExtension[] {
  const { kind, fields } = type;
  const typePackage = type.name.slice(0, type.name.lastIndexOf('.'));
  if (typePackage === metaPackage) {
    return metaKinds.test(kind) ? [{ group: '', kind, version: 'v1' }] : [];
  }
  const of = packages.get(typePackage);
  const isKind = fields.has('kind') && fields.has('apiVersion') && fields.has('metadata');
  return of === undefined || !isKind ? [] : [{ group: of.group, kind, version: of.version }];
}

export function schemaOfType(typeName: string, dialect: Dialect): JsonSchema {
  const texts = descriptionsOf(typeName);
  const described = texts[''] === undefined ? {} : { description: texts[''] };
  const type = typeTable.type(typeName);
  if (type === undefined) return { ...described, ...opaqueTypes[typeName]?.(dialect) };
  const schema: JsonSchema = { ...described, type: 'object' };
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const field of type.fields.values()) {
    properties[field.name] = schemaOfField(field, texts[field.name], dialect);
    if (field.required) required.push(field.name);
  }
  if (type.fields.size > 0) schema.properties = properties;
  if (required.length > 0) schema.required = required;
  const kinds = kindsOf(type);
  if (kinds.length > 0) schema['x-kubernetes-group-version-kind'] = kinds;
  if (type.structType === 'atomic') schema['x-kubernetes-map-type'] = 'atomic';
  return schema;
}

function schemaOfField(
  field: FieldInfo,
  description: string | undefined,
  dialect: Dialect,
): JsonSchema {
  const value = schemaOfValue(field, dialect, field.name);
  if (field.enum?.isDocumented === true) {
    if (value.items === undefined) value.enum = field.enum.values;
    else value.items.enum = field.enum.values;
  }
  const schema: JsonSchema = {};
  if (description !== undefined) schema.description = description;
  if (dialect.version === 3) addDefault(schema, field);
  if (dialect.version === 3 && value.$ref !== undefined) schema.allOf = [value];
  else Object.assign(schema, value);
  addMergeMarkers(schema, field);
  return schema;
}

function addDefault(schema: JsonSchema, field: FieldInfo): void {
  if (field.defaultValue !== undefined) schema.default = field.defaultValue;
  else if (field.kind === 'struct' && !field.isPointer) schema.default = {};
  else if (field.required && field.scalar === 'string') schema.default = '';
}

function addMergeMarkers(schema: JsonSchema, field: FieldInfo): void {
  if (field.hasListTypeMarker) schema['x-kubernetes-list-type'] = field.listType;
  if (field.hasListTypeMarker && field.listMapKeys.length > 0) {
    schema['x-kubernetes-list-map-keys'] = field.listMapKeys;
  }
  if (field.mapType === 'atomic') schema['x-kubernetes-map-type'] = 'atomic';
  if (field.structTypeMarker !== undefined) {
    schema['x-kubernetes-map-type'] = field.structTypeMarker;
  }
  if (field.patchStrategy.length > 0) {
    schema['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',');
  }
  if (field.patchMergeKey !== undefined) {
    schema['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  }
}

function schemaOfValue(value: ValueInfo, dialect: Dialect, fieldName = ''): JsonSchema {
  if (value.kind === 'list') return { type: 'array', items: elementSchema(value, dialect) };
  if (value.kind === 'map') {
    return { type: 'object', additionalProperties: elementSchema(value, dialect) };
  }
  if (value.kind === 'scalar') {
    const plain = plainScalars[value.scalar ?? 'string'];
    if (plain !== undefined) return { ...plain };
  }
  return refTo(referenceOf(value, fieldName), dialect);
}

/** In version 3 a reference that has more beside it is wrapped, among items as well. */
function elementSchema(value: ValueInfo, dialect: Dialect): JsonSchema {
  if (value.element === undefined) return {};
  const schema = schemaOfValue(value.element, dialect);
  if (dialect.version === 2 || schema.$ref === undefined) return schema;
  return value.element.kind === 'struct' ? { allOf: [schema], default: {} } : schema;
}

/** The named type that a value refers to. */
function referenceOf(value: ValueInfo, fieldName: string): string {
  if (value.typeName !== undefined) return value.typeName;
  if (value.scalar !== undefined) return namedScalars[value.scalar] ?? '';
  if (fieldName === 'fieldsV1') return `${metaPackage}.FieldsV1`;
  return untypedNames[value.untyped ?? 'json'];
}

/** All types that these types refer to, themselves included, in order of name. */
export function withReferences(typeNames: Iterable<string>): string[] {
  const found = new Set<string>();
  const visit = (typeName: string): void => {
    if (found.has(typeName)) return;
    found.add(typeName);
    for (const field of typeTable.type(typeName)?.fields.values() ?? []) {
      let value: ValueInfo = field;
      while (value.element !== undefined) value = value.element;
      const name =
        value.kind === 'scalar' && plainScalars[value.scalar ?? 'string'] !== undefined
          ? undefined
          : referenceOf(value, field.name);
      if (name !== undefined) visit(name);
    }
  };
  for (const typeName of typeNames) visit(typeName);
  return [...found].sort();
}
