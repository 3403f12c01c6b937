/** Converters from plain JSON to values by declared type, made once per type. */
import { escapeProperty } from '../escaping.ts';
import { CelRuntimeError } from '../errors.ts';
import type { CelType } from '../types.ts';
import { normalInt } from './integers.ts';
import { CelList, type Convert, type ListSemantics } from './list.ts';
import {
  CelMap,
  type FieldShape,
  JsonMap,
  type JsonObject,
  type ObjectShape,
  ObjectValue,
} from './map.ts';
import { CelDuration, CelTimestamp, parseGoDuration, parseTimestamp } from './time.ts';
import {
  CelAbstract,
  CelDouble,
  CelOptional,
  CelTypeValue,
  CelUint,
  type CelValue,
} from './value.ts';

/** Whether a value is already one of ours, so that results can be variables of other programs. */
function isValue(value: object): boolean {
  return (
    value instanceof CelList ||
    value instanceof CelMap ||
    value instanceof CelAbstract ||
    value instanceof CelDouble ||
    value instanceof CelUint ||
    value instanceof CelTimestamp ||
    value instanceof CelDuration ||
    value instanceof CelOptional ||
    value instanceof CelTypeValue ||
    value instanceof Uint8Array
  );
}

function convertNumber(value: number): CelValue {
  if (Number.isSafeInteger(value)) return value;
  const isInt64 = Number.isInteger(value) && Math.abs(value) < 2 ** 63;
  return isInt64 ? normalInt(BigInt(value)) : new CelDouble(value);
}

/** JSON without a declared type: whole numbers are ints. */
export function convertDyn(json: unknown): CelValue {
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') return convertNumber(json);
  if (typeof json === 'bigint') return normalInt(json);
  if (json === null || json === undefined) return null;
  if (Array.isArray(json)) return new CelList(json, convertDyn);
  if (isValue(json)) return json as CelValue;
  return new JsonMap(json as JsonObject, convertDyn);
}

function convertInt(json: unknown): CelValue {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  return convertDyn(json);
}

function convertUint(json: unknown): CelValue {
  if (typeof json === 'bigint') return new CelUint(json);
  return typeof json === 'number' ? new CelUint(BigInt(json)) : convertDyn(json);
}

function convertDouble(json: unknown): CelValue {
  return typeof json === 'number' ? new CelDouble(json) : convertDyn(json);
}

function convertBytes(json: unknown): CelValue {
  if (typeof json !== 'string') return convertDyn(json);
  return new Uint8Array(Buffer.from(json, 'base64'));
}

const dateShape = /^\d{4}-\d{2}-\d{2}$/;

function convertTimestamp(json: unknown): CelValue {
  if (typeof json !== 'string') return convertDyn(json);
  const parsed = parseTimestamp(dateShape.test(json) ? `${json}T00:00:00Z` : json);
  if (parsed === undefined) throw new CelRuntimeError(`Invalid date-time string: ${json}`);
  return parsed;
}

function convertDuration(json: unknown): CelValue {
  if (typeof json !== 'string') return convertDyn(json);
  const parsed = parseGoDuration(json.replaceAll(' ', ''));
  if (parsed === undefined) throw new CelRuntimeError(`Invalid duration string: ${json}`);
  return parsed;
}

function semanticsOf(type: CelType & { kind: 'list' }): ListSemantics | undefined {
  if (type.listType === 'set') return { kind: 'set', keys: [] };
  if (type.listType === 'map') return { kind: 'map', keys: type.mapKeys ?? [] };
  return undefined;
}

function convertList(type: CelType & { kind: 'list' }): Convert {
  const element = converterOf(type.element);
  const semantics = semanticsOf(type);
  return (json) => (Array.isArray(json) ? new CelList(json, element, semantics) : convertDyn(json));
}

function convertMap(type: CelType & { kind: 'map' }): Convert {
  const value = converterOf(type.value);
  return (json) => {
    const isPlain = typeof json === 'object' && json !== null && !isValue(json);
    return isPlain ? new JsonMap(json as JsonObject, value) : convertDyn(json);
  };
}

/** Identifier to field; a type may refer to itself, so converters of fields are looked up late. */
function shapeOf(type: CelType & { kind: 'object' }): ObjectShape {
  const fields = new Map<string, FieldShape>();
  for (const [property, field] of type.fields) {
    const name = type.hasPlainNames === true ? property : escapeProperty(property);
    if (name !== undefined) fields.set(name, lazyField(property, field.type));
  }
  return { name: type.name, fields };
}

const plainKinds = new Set(['string', 'bool', 'null']);

function lazyField(property: string, type: CelType): FieldShape {
  if (plainKinds.has(type.kind)) return { property, convert: undefined };
  let convert: Convert | undefined;
  return {
    property,
    convert: (json) => {
      convert ??= converterOf(type) ?? convertDyn;
      return convert(json);
    },
  };
}

function convertObject(type: CelType & { kind: 'object' }): Convert {
  const shape = shapeOf(type);
  return (json) => {
    const isPlain =
      typeof json === 'object' && json !== null && !Array.isArray(json) && !isValue(json);
    return isPlain ? new ObjectValue(json as JsonObject, shape) : convertDyn(json);
  };
}

/** null stands for an optional without a value. */
function convertOptional(type: CelType & { kind: 'optional' }): Convert {
  const convert = converterOf(type.of) ?? convertDyn;
  return (json) => (json === null ? CelOptional.none : new CelOptional(convert(json)));
}

const converters = new WeakMap<CelType, Convert>();

function createConverter(type: CelType): Convert {
  switch (type.kind) {
    case 'int':
      return convertInt;
    case 'uint':
      return convertUint;
    case 'double':
      return convertDouble;
    case 'bytes':
      return convertBytes;
    case 'timestamp':
      return convertTimestamp;
    case 'duration':
      return convertDuration;
    case 'list':
      return convertList(type);
    case 'map':
      return convertMap(type);
    case 'object':
      return convertObject(type);
    case 'optional':
      return convertOptional(type);
    default:
      return convertDyn;
  }
}

/** Undefined when JSON of the type is the value itself (strings and bools). */
export function converterOf(type: CelType): Convert | undefined {
  if (plainKinds.has(type.kind)) return undefined;
  const known = converters.get(type);
  if (known !== undefined) return known;
  const convert = createConverter(type);
  converters.set(type, convert);
  return convert;
}
