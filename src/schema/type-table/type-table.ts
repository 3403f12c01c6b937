import table from '../generated/type-table.json' with { type: 'json' };
import type { EnumInfo, FieldInfo, TypeInfo } from './field-info.ts';
import type { FieldEntry, ReadContext } from './read.ts';
import { readField } from './read.ts';

type TypeEntry = Readonly<Record<string, string | FieldEntry>>;

/** The types of the built-in API by OpenAPI name. Entries are read on first use and then kept. */
export interface TypeTable {
  readonly names: readonly string[];
  type(typeName: string): TypeInfo | undefined;
  field(typeName: string, field: string): FieldInfo | undefined;
}

export function createTypeTable(source: {
  types: Readonly<Record<string, unknown>>;
  enums: ReadonlyArray<ReadonlyArray<string | number>>;
}): TypeTable {
  const entries = source.types as Readonly<Record<string, TypeEntry>>;
  const typeNames = Object.keys(entries);
  const structTypeOf = (name: string): 'granular' | 'atomic' =>
    entries[name]?.[''] === 'atomic' ? 'atomic' : 'granular';
  const context: ReadContext = { typeNames, enums: source.enums.map(readEnum), structTypeOf };
  const known = new Map<string, TypeInfo>();
  const type = (name: string): TypeInfo | undefined => {
    const read = known.get(name);
    if (read !== undefined) return read;
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry === undefined) return undefined;
    const info = readType(name, entry, context);
    known.set(name, info);
    return info;
  };
  return { names: typeNames, type, field: (name, field) => type(name)?.fields.get(field) };
}

function readType(name: string, entry: TypeEntry, context: ReadContext): TypeInfo {
  const fields = new Map<string, FieldInfo>();
  for (const [field, facts] of Object.entries(entry)) {
    if (field !== '') fields.set(field, readField(field, facts, context));
  }
  const [version = '', kind = ''] = name.split('.').slice(-2);
  const structType = context.structTypeOf(name);
  return { name, kind, version, goType: `${version}.${kind}`, fields, structType };
}

function readEnum(entry: ReadonlyArray<string | number>): EnumInfo {
  const [goType, isDocumented, isEnforced, ...values] = entry;
  return {
    goType: String(goType),
    values: values.map(String),
    isDocumented: isDocumented === 1,
    isEnforced: isEnforced === 1,
  };
}

/** The table of Kubernetes 1.36, all stable groups and metrics.k8s.io. */
export const typeTable: TypeTable = createTypeTable(table);

/** A field of a type, or undefined when either is unknown. */
export function fieldOf(typeName: string, field: string): FieldInfo | undefined {
  return typeTable.field(typeName, field);
}
