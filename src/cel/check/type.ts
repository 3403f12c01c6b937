/** Types as the checker sees them: declared ones plus variables that stand for types. */
import type { CelType } from '../types.ts';

export type TypeKind =
  | 'dyn'
  | 'error'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type'
  | 'param'
  | 'struct'
  | 'opaque';

export interface Type {
  readonly kind: TypeKind;
  readonly name: string;
  readonly params: readonly Type[];
  /** Of objects: identifier to type, looked up late since types may refer to themselves. */
  readonly field?: (identifier: string) => Type | undefined;
  /** What was declared, for callers who ask for the type of a result. */
  readonly declared?: CelType;
}

function plain(kind: TypeKind, name: string = kind): Type {
  return { kind, name, params: [] };
}

export const dynType = plain('dyn');
export const errorType = plain('error', '!error!');
export const boolType = plain('bool');
export const intType = plain('int');
export const uintType = plain('uint');
export const doubleType = plain('double');
export const stringType = plain('string');
export const bytesType = plain('bytes');
export const nullType = plain('null', 'null_type');
export const timestampType = plain('timestamp', 'google.protobuf.Timestamp');
export const durationType = plain('duration', 'google.protobuf.Duration');

export function listOf(element: Type, declared?: CelType): Type {
  return { kind: 'list', name: 'list', params: [element], ...(declared && { declared }) };
}

export function mapOf(key: Type, value: Type, declared?: CelType): Type {
  return { kind: 'map', name: 'map', params: [key, value], ...(declared && { declared }) };
}

export function optionalOf(type: Type): Type {
  return { kind: 'opaque', name: 'optional_type', params: [type] };
}

export function typeOf(type: Type): Type {
  return { kind: 'type', name: 'type', params: [type] };
}

export function paramType(name: string): Type {
  return { kind: 'param', name, params: [] };
}

export function structType(name: string): Type {
  return { kind: 'struct', name, params: [] };
}

export function opaqueType(name: string): Type {
  return { kind: 'opaque', name, params: [] };
}

export function isDyn(type: Type): boolean {
  return type.kind === 'dyn';
}

export function isDynOrError(type: Type): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}

/** The type inside an optional, or undefined when it is none. */
export function unwrapOptional(type: Type): Type | undefined {
  return type.kind === 'opaque' && type.name === 'optional_type' ? type.params[0] : undefined;
}

/** Same type in every part; objects are the same by name. */
export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, index) => sameType(param, b.params[index] as Type));
}

/** The type as error texts spell it. */
export function formatType(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${formatType(type.params[0] as Type)})`;
    case 'map':
      return `map(${formatType(type.params[0] as Type)}, ${formatType(type.params[1] as Type)})`;
    case 'type':
      return type.params[0] === undefined ? 'type' : `type(${formatType(type.params[0])})`;
    case 'null':
    case 'timestamp':
    case 'duration':
      return type.kind;
    default:
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(formatType).join(', ')})`;
  }
}

export function formatSignature(args: readonly Type[], isMember: boolean): string {
  if (!isMember) return `(${args.map(formatType).join(', ')})`;
  const [target, ...rest] = args;
  return `${formatType(target as Type)}.(${rest.map(formatType).join(', ')})`;
}
