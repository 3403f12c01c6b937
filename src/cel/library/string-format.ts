/** `'%s'.format([…])`. */
import { compareStrings } from '../values/compare.ts';
import { CelRuntimeError } from '../errors.ts';
import { formatDouble, quoteGo } from '../values/go-text.ts';
import { CelList } from '../values/list.ts';
import { CelMap } from '../values/map.ts';
import {
  CelDuration,
  CelTimestamp,
  formatDurationSeconds,
  formatTimestamp,
} from '../values/time.ts';
import { typeNameOf } from '../values/type-name.ts';
import { CelDouble, CelTypeValue, CelUint, type CelValue } from '../values/value.ts';
import { checkTextLength, spendWork } from '../values/work.ts';

const defaultPrecision = 6;
/** Largest precision; more is an error so that outputs stay bounded. */
const largestPrecision = 100;

function failed(text: string): CelRuntimeError {
  return new CelRuntimeError(text);
}

function wordOf(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? 'Infinity' : '-Infinity';
}

function bytesText(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

/** A value inside a list or map: strings are quoted, times written as calls. */
function nested(value: CelValue): string {
  if (typeof value === 'string') {
    spendWork(value.length);
    return quoteGo(value);
  }
  if (value instanceof Uint8Array) return `b${quoteGo(bytesText(value))}`;
  if (value instanceof CelTimestamp) return `timestamp(${quoteGo(formatTimestamp(value))})`;
  if (value instanceof CelDuration) return `duration(${quoteGo(formatDurationSeconds(value))})`;
  if (value instanceof CelDouble) {
    const word = wordOf(value.value);
    return word === undefined ? value.value.toFixed(defaultPrecision) : quoteGo(word);
  }
  return plainText(value, (name) => failed(`no formatting function for ${name}`));
}

function mapText(map: CelMap): string {
  const pairs = map.keys().map((key) => {
    const text = nested(key);
    return { text, pair: `${text}:${nested(map.find(key) as CelValue)}` };
  });
  pairs.sort((a, b) => compareStrings(a.text, b.text));
  return `{${pairs.map(({ pair }) => pair).join(', ')}}`;
}

function plainText(value: CelValue, refuse: (typeName: string) => CelRuntimeError): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelDouble) return wordOf(value.value) ?? formatDouble(value.value);
  if (value instanceof CelList) {
    spendWork(value.size);
    return `[${value.values().map(nested).join(', ')}]`;
  }
  if (value instanceof CelMap) return mapText(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDurationSeconds(value);
  if (value instanceof CelTypeValue) return value.name;
  throw refuse(typeNameOf(value));
}

function stringClause(value: CelValue): string {
  return plainText(value, (name) =>
    failed(
      `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${name}`,
    ),
  );
}

function integerOf(value: CelValue): bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return BigInt(value);
  return value instanceof CelUint ? value.value : undefined;
}

function decimalClause(value: CelValue): string {
  const integer = integerOf(value);
  if (integer !== undefined) return String(integer);
  throw failed(
    `error during formatting: decimal clause can only be used on integers, was given ${typeNameOf(value)}`,
  );
}

function doubleOf(value: CelValue, clause: string): number {
  if (value instanceof CelDouble) return value.value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  throw failed(
    `error during formatting: ${clause} clause can only be used on doubles, was given ${typeNameOf(value)}`,
  );
}

function fixedClause(value: CelValue, precision: number): string {
  const number = doubleOf(value, 'fixed-point');
  return wordOf(number) ?? number.toFixed(precision);
}

function scientificClause(value: CelValue, precision: number): string {
  const number = doubleOf(value, 'scientific');
  const word = wordOf(number);
  if (word !== undefined) return word;
  const text = number.toExponential(precision);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function radixClause(value: CelValue, radix: number, name: string): string {
  const integer = integerOf(value);
  if (integer !== undefined) return integer.toString(radix);
  if (radix === 2 && typeof value === 'boolean') return value ? '1' : '0';
  const allowed = radix === 2 ? 'integers and bools' : 'integers';
  throw failed(
    `error during formatting: ${name} clause can only be used on ${allowed}, was given ${typeNameOf(value)}`,
  );
}

function hexClause(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const integer = integerOf(value);
  if (integer !== undefined) return integer.toString(16);
  throw failed(
    `error during formatting: only integers, byte buffers, and strings can be formatted as hex, was given ${typeNameOf(value)}`,
  );
}

function clause(letter: string, value: CelValue, precision: number): string {
  switch (letter) {
    case 's':
      return stringClause(value);
    case 'd':
      return decimalClause(value);
    case 'f':
      return fixedClause(value, precision);
    case 'e':
      return scientificClause(value, precision);
    case 'b':
      return radixClause(value, 2, 'only integers and bools can be formatted as binary, binary');
    case 'x':
      return hexClause(value);
    case 'X':
      return hexClause(value).toUpperCase();
    case 'o':
      return radixClause(value, 8, 'octal');
    default:
      throw failed(`could not parse formatting clause: unrecognized formatting clause "${letter}"`);
  }
}

export function formatString(template: string, args: CelList): string {
  const directive = /%(?:(%)|(?:\.(\d*))?([\s\S]?))/gu;
  let used = 0;
  let { length } = template;
  return template.replaceAll(
    directive,
    (_match, percent?: string, digits?: string, letter?: string) => {
      if (percent !== undefined) return '%';
      if (letter === undefined || letter === '') {
        throw failed('could not parse formatting clause: unexpected end of string');
      }
      if (used >= args.size) throw failed(`index ${used} out of range`);
      const precision = digits === undefined || digits === '' ? defaultPrecision : Number(digits);
      if (precision > largestPrecision) throw failed(`precision ${precision} is too large`);
      const text = clause(letter, args.at(used), precision);
      used += 1;
      spendWork(text.length);
      length += text.length;
      checkTextLength(length);
      return text;
    },
  );
}
