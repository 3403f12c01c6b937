import type { LookedUpType, TypeLookup } from '../patch/type-lookup.ts';
import type { FieldInfo, ScalarType, ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { Structural } from './structural.ts';

/** Names of the types of a schema; none of them is a name of the type table. */
type TypeName = string;

/**
 * The types of a schema as patch and apply look them up. The type of the whole object is named ''.
 * Types are made as they are asked for; built-in types (metadata) are handed through.
 */
export function createTypeLookup(root: Structural): TypeLookup {
  const nodes = new Map<TypeName, Structural>([['', root]]);
  const names = new Map<Structural, TypeName>([[root, '']]);
  const known = new Map<TypeName, LookedUpType>();
  const nameOf = (node: Structural): TypeName => {
    let name = names.get(node);
    if (name === undefined) {
      name = `#${nodes.size}`;
      names.set(node, name);
      nodes.set(name, node);
    }
    return name;
  };
  return {
    type(typeName) {
      const node = nodes.get(typeName);
      if (node === undefined) return typeTable.type(typeName);
      let type = known.get(typeName);
      if (type === undefined) known.set(typeName, (type = typeOf(node, nameOf)));
      return type;
    },
  };
}

function typeOf(node: Structural, nameOf: (node: Structural) => TypeName): LookedUpType {
  const fields = new Map<string, FieldInfo>();
  for (const [name, property] of node.properties ?? []) {
    const value = valueOf(property, nameOf);
    fields.set(name, {
      ...value,
      name,
      required: false,
      isPointer: true,
      listType: value.kind === 'list' ? listTypeOf(property) : undefined,
      hasListTypeMarker: property.listType !== undefined,
      listMapKeys: property.listMapKeys,
      mapType: value.kind === 'map' ? granularity(property) : undefined,
      structType: value.kind === 'struct' ? granularity(property) : undefined,
      structTypeMarker: undefined,
      patchStrategy: noStrings,
      patchMergeKey: undefined,
      enum: undefined,
      defaultValue: property.defaultValue,
    });
  }
  const isOpen = node.preservesUnknown || node.isEmbedded || fields.size === 0;
  return { fields, structType: granularity(node), isOpen };
}

const noStrings: readonly string[] = [];
const nothing = {
  scalar: undefined,
  untyped: undefined,
  typeName: undefined,
  element: undefined,
} as const;

function valueOf(node: Structural, nameOf: (node: Structural) => TypeName): ValueInfo {
  const type = node.types[0];
  if (type === 'array') {
    const element = node.items === undefined ? undefined : valueOf(node.items, nameOf);
    return { ...nothing, kind: 'list', element };
  }
  const isObject = type === 'object' || (type === undefined && node.properties !== undefined);
  if (isObject) {
    if (typeof node.additional === 'object') {
      return { ...nothing, kind: 'map', element: valueOf(node.additional, nameOf) };
    }
    return { ...nothing, kind: 'struct', typeName: nameOf(node) };
  }
  // what has no type is told apart by what is found there
  if (node.types.length === 0) return { ...nothing, kind: 'struct', typeName: '?' };
  return { ...nothing, kind: 'scalar', scalar: scalarOf(node, type) };
}

const scalars: Readonly<Record<string, ScalarType>> = {
  integer: 'int64',
  number: 'double',
  boolean: 'bool',
};

function scalarOf(node: Structural, type: string | undefined): ScalarType {
  return node.isIntOrString ? 'int-or-string' : (scalars[type ?? ''] ?? 'string');
}

function granularity(node: Structural): 'granular' | 'atomic' {
  return node.mapType === 'atomic' ? 'atomic' : 'granular';
}

function listTypeOf({ listType }: Structural): 'atomic' | 'set' | 'map' {
  return listType === 'set' || listType === 'map' ? listType : 'atomic';
}
