/**
 * Reads the short codes of generated/type-table.json. A field is a code, or an object with the
 * code as `t` and: l listType (li: inferred), k listMapKeys, m atomic map, st structType,
 * ps patchStrategy, pk patchMergeKey, e enum id, d default. Codes: s string, i int32, l int64,
 * d double, b bool, y bytes, t time, u micro-time, D duration, q quantity, x int-or-string,
 * r object, j JSON, A B C JSON-schema forms, #n the nth type; [ a list of, { a map of; then
 * ! for required and & for held by value. The key '' of a type is its structType.
 */
import type { EnumInfo, FieldInfo, ScalarType, UntypedForm, ValueInfo } from './field-info.ts';

export interface FieldEntry {
  t: string;
  l?: string;
  li?: number;
  k?: string[];
  m?: number;
  st?: string;
  ps?: string[];
  pk?: string;
  e?: number;
  d?: unknown;
}

const scalars: Readonly<Record<string, ScalarType>> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  d: 'double',
  b: 'bool',
  y: 'byte',
  t: 'time',
  u: 'micro-time',
  D: 'duration',
  q: 'quantity',
  x: 'int-or-string',
};

const untypedForms: Readonly<Record<string, UntypedForm>> = {
  r: 'object',
  j: 'json',
  A: 'schema-or-list',
  B: 'schema-or-bool',
  C: 'schema-or-strings',
};

export interface ReadContext {
  readonly typeNames: readonly string[];
  readonly enums: readonly EnumInfo[];
  /** The marker of a whole type. */
  structTypeOf(typeName: string): 'granular' | 'atomic';
}

const noStrings: readonly string[] = [];

function readValue(code: string, typeNames: readonly string[]): ValueInfo {
  const first = code[0] ?? '';
  const none = { scalar: undefined, untyped: undefined, typeName: undefined, element: undefined };
  if (first === '[' || first === '{') {
    const element = readValue(code.slice(1), typeNames);
    return { ...none, kind: first === '[' ? 'list' : 'map', element };
  }
  if (first === '#') {
    return { ...none, kind: 'struct', typeName: typeNames[Number(code.slice(1))] };
  }
  const scalar = scalars[first];
  if (scalar !== undefined) return { ...none, kind: 'scalar', scalar };
  return { ...none, kind: 'untyped', untyped: untypedForms[first] };
}

export function readField(
  name: string,
  entry: string | FieldEntry,
  context: ReadContext,
): FieldInfo {
  const facts: FieldEntry = typeof entry === 'string' ? { t: entry } : entry;
  const isValue = facts.t.endsWith('&');
  const required = facts.t.endsWith(isValue ? '!&' : '!');
  const code = facts.t.replace(/!?&?$/, '');
  const value = readValue(code, context.typeNames);
  const marker = facts.st as 'granular' | 'atomic' | undefined;
  return {
    name,
    kind: value.kind,
    scalar: value.scalar,
    untyped: value.untyped,
    typeName: value.typeName,
    element: value.element,
    required,
    isPointer: !isValue,
    listType: value.kind === 'list' ? ((facts.l ?? 'atomic') as 'atomic') : undefined,
    hasListTypeMarker: facts.l !== undefined && facts.li !== 1,
    listMapKeys: facts.k ?? noStrings,
    mapType: value.kind === 'map' ? (facts.m === 1 ? 'atomic' : 'granular') : undefined,
    structType:
      value.typeName === undefined ? marker : (marker ?? context.structTypeOf(value.typeName)),
    structTypeMarker: marker,
    patchStrategy: facts.ps ?? noStrings,
    patchMergeKey: facts.pk,
    enum: facts.e === undefined ? undefined : context.enums[facts.e],
    defaultValue: facts.d,
  };
}
