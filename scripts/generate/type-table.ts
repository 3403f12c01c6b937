/**
 * Merges the attribute maps of @kubernetes/client-node (field names, required flags) with the
 * facts that it lacks (Go types, merge markers, value sets, constant defaults) into one table.
 * src/schema/type-table/read.ts describes the short codes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  DefaultFact,
  EnumFacts,
  MergeFacts,
  MergeField,
  ProtobufFacts,
  ProtobufField,
} from './facts.ts';
import { isStableType, readFacts } from './facts.ts';

const models = join(
  import.meta.dirname,
  '../../node_modules/@kubernetes/client-node/dist/gen/models',
);

const scalarCodes: Record<string, string> = {
  string: 's',
  int32: 'i',
  int64: 'l',
  double: 'd',
  bool: 'b',
  bytes: 'y',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Time': 't',
  'k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime': 'u',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Duration': 'D',
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'q',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'x',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'r',
  'k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1': 'r',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON': 'j',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'A',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'B',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'C',
};

/** The fields of a message with those of inlined messages among them, by JSON name. */
function flatten(
  facts: ProtobufFacts,
  message: string,
  into = new Map<string, ProtobufField>(),
): Map<string, ProtobufField> {
  for (const [name, field] of Object.entries(facts.messages[message]?.fields ?? {})) {
    if (field.inline === 1 && field.t !== undefined) flatten(facts, field.t, into);
    else into.set(name, field);
  }
  return into;
}

function modelFields(model: string): Map<string, boolean> {
  const file = join(models, `${model}.js`);
  const fields = new Map<string, boolean>();
  if (!existsSync(file)) return fields;
  const attributes = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(readFileSync(file, 'utf8'))?.[1];
  const declarations = readFileSync(join(models, `${model}.d.ts`), 'utf8');
  for (const { name, baseName } of JSON.parse(attributes ?? '[]') as Array<
    Record<'name' | 'baseName', string>
  >) {
    fields.set(baseName, declarations.includes(`    '${name}': `));
  }
  return fields;
}

function typeCode(facts: ProtobufFacts, field: ProtobufField, ids: Map<string, number>): string {
  const element = (type: string): string => {
    const scalar = scalarCodes[type];
    if (scalar !== undefined) return scalar;
    const message = facts.messages[type];
    if (message?.jsonForm === 'array') return '[s';
    const id = ids.get(message?.openapi ?? openApiName(type));
    if (id === undefined) throw new Error(`no type for ${type}`);
    return `#${id}`;
  };
  if (field.map !== undefined) return `{${element(field.map[1])}`;
  return `${field.r === 1 ? '[' : ''}${element(field.t ?? '')}`;
}

interface FieldFacts {
  merge: MergeField | undefined;
  goType: string | undefined;
  constant: unknown;
}

function fieldEntry(code: string, facts: FieldFacts, enums: Map<string, number>): unknown {
  const { merge, goType, constant } = facts;
  const extra: Record<string, unknown> = {};
  if (merge?.listType !== undefined && merge.inferred !== 'default') {
    if (merge.listType !== 'atomic' || merge.kind === 'list') extra['l'] = merge.listType;
    if (merge.inferred === 'patch') extra['li'] = 1;
  }
  if (merge?.listMapKeys !== undefined) extra['k'] = merge.listMapKeys;
  if (merge?.mapType === 'atomic') extra['m'] = 1;
  if (merge?.structType !== undefined) extra['st'] = merge.structType;
  if (merge?.patchStrategy !== undefined) extra['ps'] = merge.patchStrategy;
  if (merge?.patchMergeKey !== undefined) extra['pk'] = merge.patchMergeKey;
  if (goType !== undefined && enums.has(goType)) extra['e'] = enums.get(goType);
  if (constant !== undefined) extra['d'] = constant;
  return Object.keys(extra).length === 0 ? code : { t: code, ...extra };
}

/** Constant defaults of single fields, as clients see them in the OpenAPI documents. */
function constantDefaults(directory: string): Map<string, unknown> {
  const constants = new Map<string, unknown>();
  for (const fact of (readFacts(directory, 'defaults') as { defaults: DefaultFact[] }).defaults) {
    const { type, field, default: value, when, only } = fact;
    const computed =
      typeof value === 'object' && value !== null && /"\$/.test(JSON.stringify(value));
    if (when !== undefined || only !== undefined || computed || !/^[A-Za-z]+$/.test(field))
      continue;
    constants.set(`${type}/${field}`, value);
  }
  return constants;
}

const metrics = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';

export function generateTypeTable(directory: string): Record<string, unknown> {
  const merge = readFacts(directory, 'merge') as MergeFacts;
  const protobuf = readFacts(directory, 'protobuf') as ProtobufFacts;
  const enumFacts = readFacts(directory, 'enums') as EnumFacts;
  const constants = constantDefaults(directory);
  const messageOf = new Map<string, string>();
  for (const [name, message] of Object.entries(protobuf.messages)) {
    if (message.openapi !== undefined) messageOf.set(message.openapi, name);
  }
  const metricsTypes = [
    'ContainerMetrics',
    'NodeMetrics',
    'NodeMetricsList',
    'PodMetrics',
    'PodMetricsList',
  ];
  const names = [
    ...Object.keys(merge.types).filter(isStableType),
    ...modelless(merge),
    ...metricsTypes.map((name) => `${metrics}.${name}`),
  ].sort();
  const ids = new Map(names.map((name, index) => [name, index]));
  const enumNames = Object.keys(enumFacts.types).filter(
    (name) => enumFacts.types[name]?.enforced === true || enumFacts.types[name]?.plusEnum === true,
  );
  const enumIds = new Map(enumNames.map((name, index) => [name, index]));
  const types: Record<string, unknown> = {};
  for (const name of names) {
    const fromMerge = merge.types[name];
    const wire = flatten(protobuf, messageOf.get(name) ?? messageName(name));
    const model = name.startsWith(metrics)
      ? metricsFields(wire)
      : modelFields(fromMerge?.model ?? '');
    const fields: Record<string, unknown> = {};
    for (const [field, required] of model) {
      const onWire = wire.get(field);
      const code = onWire === undefined ? 's' : typeCode(protobuf, onWire, ids);
      const flags = `${required ? '!' : ''}${onWire?.z === 1 ? '&' : ''}`;
      const goType = enumFacts.fields[name]?.[field]?.goType;
      const facts = {
        merge: fromMerge?.fields[field],
        goType,
        constant: constants.get(`${name}/${field}`),
      };
      fields[field] = fieldEntry(`${code}${flags}`, facts, enumIds);
    }
    const structType = fromMerge?.structType;
    types[name] = structType === undefined ? fields : { ...fields, '': structType };
  }
  const enums = enumNames.map((name) => [
    name.split('.').slice(-2).join('.'),
    enumFacts.types[name]?.plusEnum === true ? 1 : 0,
    enumFacts.types[name]?.enforced === true ? 1 : 0,
    ...(enumFacts.types[name]?.values ?? []),
  ]);
  return { types, enums };
}

function messageName(openApi: string): string {
  return openApi.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_');
}

function openApiName(message: string): string {
  return message
    .replace(/^k8s\.io\./, 'io.k8s.')
    .replace('apiextensions_apiserver', 'apiextensions-apiserver')
    .replace('kube_aggregator', 'kube-aggregator');
}

/** Types that other types use but that have no model: those without fields. */
function modelless(merge: MergeFacts): string[] {
  const names = new Set<string>();
  for (const type of Object.values(merge.types)) {
    for (const { elem, ref } of Object.values(type.fields)) {
      const name = ref ?? elem ?? '';
      if (merge.types[name] === undefined && isStableType(name)) names.add(name);
    }
  }
  return [...names].filter(
    (name) => !/\.(JSON\w*|Time|MicroTime|FieldsV1|Quantity|RawExtension|IntOrString)$/.test(name),
  );
}

/** client-node has no metrics API: kind and apiVersion, then the fields on the wire. */
function metricsFields(wire: Map<string, ProtobufField>): Map<string, boolean> {
  const fields = new Map<string, boolean>();
  if (wire.has('metadata')) for (const name of ['apiVersion', 'kind']) fields.set(name, false);
  for (const name of wire.keys()) fields.set(name, name !== 'metadata');
  return fields;
}
