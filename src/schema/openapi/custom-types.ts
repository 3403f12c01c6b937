import type { ResourceInfo } from '../resource-info.ts';
import { descriptionsOf } from './descriptions.ts';
import type { Dialect, JsonSchema } from './json-schema.ts';
import { refTo } from './json-schema.ts';
import { listTypeNameOf } from './operations.ts';
import { metaPackage } from './type-schema.ts';

/** The schema that a custom resource definition declares for one version, by OpenAPI type name. */
export type CustomSchemas = ReadonlyMap<string, JsonSchema>;

/** com.example.stable.v1.CronTab, the name that upstream gives to types of custom resources. */
export function customTypeName(of: { group: string; version: string; kind: string }): string {
  return [...of.group.split('.').reverse(), of.version, of.kind].join('.');
}

/** Keywords that version 2 has no words for; it then says less, not something wrong. */
const onlyInVersion3 = ['oneOf', 'anyOf', 'allOf', 'not', 'nullable', 'default'];

function simplify(schema: JsonSchema): JsonSchema {
  if (schema['x-kubernetes-int-or-string'] === true) return { 'x-kubernetes-int-or-string': true };
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
    return { 'x-kubernetes-preserve-unknown-fields': true };
  }
  const simple: Record<string, unknown> = { ...schema };
  for (const keyword of onlyInVersion3) delete simple[keyword];
  const result = simple as JsonSchema;
  if (schema.items !== undefined) result.items = simplify(schema.items);
  if (typeof schema.additionalProperties === 'object') {
    result.additionalProperties = simplify(schema.additionalProperties);
  }
  if (schema.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, inner]) => [name, simplify(inner)]),
    );
  }
  return result;
}

function metadataRef(typeName: string, dialect: Dialect): JsonSchema {
  const reference = refTo(`${metaPackage}.${typeName}`, dialect);
  return dialect.version === 3 ? { allOf: [reference] } : reference;
}

/** The types of a custom resource and its list, with the fields that every object has. */
export function customDefinitions(
  info: ResourceInfo,
  declared: JsonSchema | undefined,
  dialect: Dialect,
): Record<string, JsonSchema> {
  const { group, version, kind, listKind } = info;
  const schema = declared ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const own = dialect.version === 2 && declared !== undefined ? simplify(schema) : { ...schema };
  const texts = descriptionsOf('io.k8s.api.core.v1.ConfigMap');
  const field = (name: string): JsonSchema => {
    const description = texts[name];
    return { ...(description === undefined ? {} : { description }), type: 'string' };
  };
  const header = { apiVersion: field('apiVersion'), kind: field('kind') };
  const metadata = metadataRef('ObjectMeta', dialect);
  const about = texts['metadata'];
  own.properties = {
    ...own.properties,
    ...header,
    metadata: about === undefined ? metadata : { description: about, ...metadata },
  };
  own['x-kubernetes-group-version-kind'] = [{ group, kind, version }];
  if (info.selectableFields.length > 0) {
    own['x-kubernetes-selectable-fields'] = info.selectableFields.map((fieldPath) => ({
      fieldPath,
    }));
  }
  const list: JsonSchema = {
    type: 'object',
    properties: {
      ...header,
      items: { type: 'array', items: refTo(info.typeName, dialect) },
      metadata: metadataRef('ListMeta', dialect),
    },
    required: ['items'],
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  };
  return { [info.typeName]: own, [listTypeNameOf(info)]: list };
}
