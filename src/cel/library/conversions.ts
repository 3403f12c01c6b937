/** int(), uint(), double(), string(), bytes(), bool(), duration(), timestamp(), dyn(), type(). */
import { globalOverload, type Library, type Overload } from '../check/declaration.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  paramType,
  stringType,
  timestampType,
  type Type,
  typeOf,
  uintType,
} from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { formatDouble, parseDouble } from '../values/go-text.ts';
import {
  type Int,
  intOf,
  largestInt,
  largestUint,
  normalInt,
  smallestInt,
  uintOf,
} from '../values/integers.ts';
import {
  CelDuration,
  type CelTimestamp,
  checkedTimestamp,
  formatDurationSeconds,
  formatTimestamp,
  parseGoDuration,
  parseTimestamp,
} from '../values/time.ts';
import { typeNameOf } from '../values/type-name.ts';
import { CelDouble, CelTypeValue, CelUint, type CelValue } from '../values/value.ts';

const a = paramType('A');

function same(value: CelValue): CelValue {
  return value;
}

function convert(id: string, from: Type, to: Type, call: (value: never) => CelValue): Overload {
  return globalOverload(id, [from], to, call);
}

function conversionError(from: string, to: string): CelRuntimeError {
  return new CelRuntimeError(`type conversion error from '${from}' to '${to}'`);
}

function doubleToInt({ value }: CelDouble): Int {
  // The ends of the range are no doubles: the nearest ones are outside.
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelRuntimeError('integer overflow');
  return normalInt(BigInt(Math.trunc(value)));
}

function doubleToUint({ value }: CelDouble): CelUint {
  if (!(value >= 0 && value < 2 ** 64)) throw new CelRuntimeError('unsigned integer overflow');
  return new CelUint(BigInt(Math.trunc(value)));
}

function stringToInt(text: string): Int {
  if (!/^[+-]?\d{1,30}$/.test(text)) throw conversionError('string', 'int');
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > largestInt || value < smallestInt) throw conversionError('string', 'int');
  return normalInt(value);
}

function stringToUint(text: string): CelUint {
  if (!/^\d{1,30}$/.test(text)) throw conversionError('string', 'uint');
  const value = BigInt(text);
  if (value > largestUint) throw conversionError('string', 'uint');
  return new CelUint(value);
}

function stringToDouble(text: string): CelDouble {
  const value = parseDouble(text);
  if (value === undefined) throw conversionError('string', 'double');
  return new CelDouble(value);
}

const trueTexts = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseTexts = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function stringToBool(text: string): boolean {
  if (trueTexts.has(text)) return true;
  if (falseTexts.has(text)) return false;
  throw conversionError('string', 'bool');
}

function bytesToString(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CelRuntimeError('invalid UTF-8 in bytes, cannot convert to string', { cause });
  }
}

function stringToDuration(text: string): CelDuration {
  const duration = parseGoDuration(text);
  if (duration === undefined) throw conversionError('string', 'google.protobuf.Duration');
  return duration;
}

function stringToTimestamp(text: string): CelTimestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) throw conversionError('string', 'google.protobuf.Timestamp');
  return timestamp;
}

export const conversionLibrary: Library = {
  int: [
    convert('int64_to_int64', intType, intType, same),
    convert('uint64_to_int64', uintType, intType, ({ value }: CelUint) => intOf(value)),
    convert('double_to_int64', doubleType, intType, doubleToInt),
    convert('string_to_int64', stringType, intType, stringToInt),
    convert('timestamp_to_int64', timestampType, intType, (time: CelTimestamp) => time.seconds),
    convert('duration_to_int64', durationType, intType, ({ nanos }: CelDuration) => intOf(nanos)),
  ],
  uint: [
    convert('uint64_to_uint64', uintType, uintType, same),
    convert('int64_to_uint64', intType, uintType, (value: Int) => uintOf(BigInt(value))),
    convert('double_to_uint64', doubleType, uintType, doubleToUint),
    convert('string_to_uint64', stringType, uintType, stringToUint),
  ],
  double: [
    convert('double_to_double', doubleType, doubleType, same),
    convert('int64_to_double', intType, doubleType, (value: Int) => new CelDouble(Number(value))),
    convert(
      'uint64_to_double',
      uintType,
      doubleType,
      ({ value }: CelUint) => new CelDouble(Number(value)),
    ),
    convert('string_to_double', stringType, doubleType, stringToDouble),
  ],
  bool: [
    convert('bool_to_bool', boolType, boolType, same),
    convert('string_to_bool', stringType, boolType, stringToBool),
  ],
  string: [
    convert('string_to_string', stringType, stringType, same),
    convert('bool_to_string', boolType, stringType, String),
    convert('int64_to_string', intType, stringType, String),
    convert('uint64_to_string', uintType, stringType, ({ value }: CelUint) => String(value)),
    convert('double_to_string', doubleType, stringType, ({ value }: CelDouble) =>
      formatDouble(value),
    ),
    convert('bytes_to_string', bytesType, stringType, bytesToString),
    convert('timestamp_to_string', timestampType, stringType, formatTimestamp),
    convert('duration_to_string', durationType, stringType, formatDurationSeconds),
  ],
  bytes: [
    convert('bytes_to_bytes', bytesType, bytesType, same),
    convert('string_to_bytes', stringType, bytesType, (text: string) =>
      new TextEncoder().encode(text),
    ),
  ],
  duration: [
    convert('duration_to_duration', durationType, durationType, same),
    convert(
      'int64_to_duration',
      intType,
      durationType,
      (value: Int) => new CelDuration(BigInt(value)),
    ),
    convert('string_to_duration', stringType, durationType, stringToDuration),
  ],
  timestamp: [
    convert('timestamp_to_timestamp', timestampType, timestampType, same),
    convert('int64_to_timestamp', intType, timestampType, (value: Int) =>
      checkedTimestamp(Number(value), 0),
    ),
    convert('string_to_timestamp', stringType, timestampType, stringToTimestamp),
  ],
  dyn: [convert('to_dyn', a, dynType, same)],
  type: [convert('type', a, typeOf(a), (value: CelValue) => new CelTypeValue(typeNameOf(value)))],
};
