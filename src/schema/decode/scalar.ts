import { K3tsError } from '#base/errors.ts';
import { formatQuantity, parseQuantity } from '#base/quantity.ts';
import type { ScalarType } from '../type-table/field-info.ts';
import { jsonWord } from './go-types.ts';
import { OddNumber } from './odd-number.ts';
import { readTime } from './time-text.ts';

/** A value of the wrong JSON type; `word` names what was found, as upstream's decoder does. */
export class WrongType extends K3tsError {
  /** The Go type that was expected, when it is not that of the whole field. */
  type: string | undefined;

  constructor(word: string) {
    super('WrongType', `json: cannot unmarshal ${word}`);
  }
}

function decodingError(message: string): K3tsError {
  return new K3tsError('Decoding', message);
}

/** Canonical texts seen before: most quantities of a cluster are the same few dozen. */
const canonicalQuantities = new Map<string, string>();
const maxCanonicalQuantities = 4096;

const quantityError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

export function conformQuantity(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : JSON.stringify(value);
  const known = canonicalQuantities.get(text);
  if (known !== undefined) return known;
  let canonical: string;
  try {
    canonical = formatQuantity(parseQuantity(text));
  } catch (error) {
    throw new K3tsError('Decoding', quantityError, { cause: error });
  }
  if (canonicalQuantities.size < maxCanonicalQuantities) canonicalQuantities.set(text, canonical);
  return canonical;
}

/** The largest double that is an int64. */
const largestInt64 = 2 ** 63 - 1024;

function conformInteger(value: unknown, min: number, max: number): number {
  if (value instanceof OddNumber) throw new WrongType(`number ${value.source}`);
  if (typeof value !== 'number') throw new WrongType(jsonWord(value));
  if (!Number.isInteger(value) || value < min || value > max)
    throw new WrongType(`number ${value}`);
  return value;
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

function conformBytes(value: unknown): string {
  if (typeof value !== 'string') throw new WrongType(jsonWord(value));
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value;
  if (text.length % 4 === 0 && base64.test(text)) return text;
  const bad = /[^A-Za-z0-9+/]/.exec(value.replace(/=+$/, ''));
  throw decodingError(`illegal base64 data at input byte ${bad?.index ?? badPadding(value)}`);
}

/** Where upstream's decoder stops in text whose letters are right but whose length is not. */
function badPadding(text: string): number {
  const letters = text.replace(/=+$/, '').length;
  return text.length === letters ? letters - (letters % 4) : letters;
}

function conformTime(value: unknown, isMicro: boolean): string {
  if (typeof value !== 'string') {
    throw decodingError(`json: cannot unmarshal ${jsonWord(value)} into Go value of type string`);
  }
  const read = readTime(value, isMicro);
  if ('reason' in read) throw decodingError(read.reason);
  return read.time;
}

function conformIntOrString(value: unknown): number | string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31)
    return value;
  const number = value instanceof OddNumber ? value.source : value;
  const word = jsonWord(value) === 'number' ? `number ${String(number)}` : jsonWord(value);
  throw decodingError(`json: cannot unmarshal ${word} into Go value of type int32`);
}

/**
 * The canonical form of a scalar, the value itself when it is canonical. Throws WrongType for
 * another JSON type, and an error with upstream's text for a text that does not parse.
 */
export function conformScalar(value: unknown, type: ScalarType): unknown {
  switch (type) {
    case 'string':
    case 'duration':
      if (typeof value === 'string') return value;
      throw new WrongType(jsonWord(value));
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw new WrongType(jsonWord(value));
    case 'int32':
      return conformInteger(value, -(2 ** 31), 2 ** 31 - 1);
    case 'int64':
      return conformInteger(value, -(2 ** 63), largestInt64);
    case 'double':
      if (value instanceof OddNumber) return value.valueOf();
      if (typeof value === 'number') return value;
      throw new WrongType(jsonWord(value));
    case 'byte':
      return conformBytes(value);
    case 'time':
      return conformTime(value, false);
    case 'micro-time':
      return conformTime(value, true);
    case 'quantity':
      return conformQuantity(value);
    case 'int-or-string':
      return conformIntOrString(value);
  }
}

/** The zero value that null stands for among the items of a list or the values of a map. */
export function zeroScalar(type: ScalarType): unknown {
  if (type === 'bool') return false;
  if (type === 'quantity') return '0';
  if (type === 'time' || type === 'micro-time') return null;
  return /^(int|double)/.test(type) ? 0 : '';
}
