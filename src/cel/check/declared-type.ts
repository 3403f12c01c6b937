/** From the types that callers declare to the checker's and back. */
import { unescapeProperty } from '../escaping.ts';
import type { CelField, CelType } from '../types.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaqueType,
  optionalOf,
  stringType,
  structType,
  timestampType,
  type Type,
  uintType,
} from './type.ts';

const scalars: Readonly<Record<string, Type>> = {
  dyn: dynType,
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  null: nullType,
  timestamp: timestampType,
  duration: durationType,
};

/** Kubernetes' abstract types that are opaque to CEL, not messages without fields. */
const opaqueNames = new Set(['net.IP', 'net.CIDR']);

export function abstractType(name: string): Type {
  return opaqueNames.has(name) ? opaqueType(name) : structType(name);
}

const converted = new WeakMap<CelType, Type>();

function fieldLookup(
  fields: ReadonlyMap<string, CelField>,
  hasPlainNames = false,
): (name: string) => Type | undefined {
  return (identifier) => {
    const property = hasPlainNames ? identifier : unescapeProperty(identifier);
    const field = property === undefined ? undefined : fields.get(property);
    return field === undefined ? undefined : fromDeclared(field.type);
  };
}

function convert(type: CelType): Type {
  switch (type.kind) {
    case 'list':
      return listOf(fromDeclared(type.element), type);
    case 'map':
      return mapOf(fromDeclared(type.key), fromDeclared(type.value), type);
    case 'object':
      return {
        kind: 'struct',
        name: type.name,
        params: [],
        field: fieldLookup(type.fields, type.hasPlainNames),
        declared: type,
      };
    case 'abstract':
      return abstractType(type.name);
    case 'optional':
      return optionalOf(fromDeclared(type.of));
    case 'type':
      return { kind: 'type', name: 'type', params: [] };
    default:
      return scalars[type.kind] ?? dynType;
  }
}

export function fromDeclared(type: CelType): Type {
  const known = converted.get(type);
  if (known !== undefined) return known;
  const made = convert(type);
  converted.set(type, made);
  return made;
}

/** The declared form of a checked type; declarations come back as they were given. */
export function toDeclared(type: Type): CelType {
  if (type.declared !== undefined) return type.declared;
  const [first = dynType, second = dynType] = type.params;
  switch (type.kind) {
    case 'list':
      return { kind: 'list', element: toDeclared(first) };
    case 'map':
      return { kind: 'map', key: toDeclared(first), value: toDeclared(second) };
    case 'opaque':
      if (type.name === 'optional_type') return { kind: 'optional', of: toDeclared(first) };
      return { kind: 'abstract', name: type.name };
    case 'struct':
      return { kind: 'abstract', name: type.name };
    case 'param':
    case 'error':
      return { kind: 'dyn' };
    default:
      return { kind: type.kind };
  }
}
