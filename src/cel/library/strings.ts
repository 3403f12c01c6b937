/** The strings extension, version 2: positions and sizes count code points. */
import { globalOverload, type Library, memberOverload } from '../check/declaration.ts';
import { dynType, intType, listOf, stringType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { quoteGo } from '../values/go-text.ts';
import { CelList } from '../values/list.ts';
import { checkTextLength, spendText } from '../values/work.ts';
import { formatString } from './string-format.ts';

const strings = listOf(stringType);

/** Whether UTF-16 positions are code points. */
function isBasic(text: string): boolean {
  spendText(text.length);
  return !/[\ud800-\udfff]/.test(text);
}

function charAt(text: string, index: number): string {
  const characters = isBasic(text) ? text : [...text];
  if (index < 0 || index > characters.length) {
    throw new CelRuntimeError(`index out of range: ${index}`);
  }
  return characters[index] ?? '';
}

function pointIndex(text: string, unitIndex: number): number {
  if (unitIndex < 0) return -1;
  return isBasic(text) ? unitIndex : Array.from(text.slice(0, unitIndex)).length;
}

function unitIndex(text: string, index: number): number {
  return isBasic(text) ? index : [...text].slice(0, index).join('').length;
}

function sizeOf(text: string): number {
  return isBasic(text) ? text.length : [...text].length;
}

function indexOf(text: string, part: string, from = 0): number {
  if (part === '') return from;
  if (from < 0) throw new CelRuntimeError(`index out of range: ${from}`);
  if (from > sizeOf(text)) return -1;
  return pointIndex(text, text.indexOf(part, unitIndex(text, from)));
}

function lastIndexOf(text: string, part: string): number {
  if (part === '') return sizeOf(text);
  return pointIndex(text, text.lastIndexOf(part));
}

function lastIndexOfFrom(text: string, part: string, from: number): number {
  if (part === '') return from;
  const size = sizeOf(text);
  if (size < sizeOf(part)) return -1;
  if (from < 0 || from >= size) throw new CelRuntimeError(`index out of range: ${from}`);
  return pointIndex(text, text.lastIndexOf(part, unitIndex(text, from)));
}

function substring(text: string, start: number, end = sizeOf(text)): string {
  const size = sizeOf(text);
  if (start > end) {
    throw new CelRuntimeError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0 || start > size) throw new CelRuntimeError(`index out of range: ${start}`);
  if (end < 0 || end > size) throw new CelRuntimeError(`index out of range: ${end}`);
  return isBasic(text) ? text.slice(start, end) : [...text].slice(start, end).join('');
}

function replace(text: string, from: string, to: string, limit: number | bigint = -1): string {
  const count = Number(limit);
  if (count === 0 || from === to) return text;
  if (count < 0) {
    if (from !== '') {
      const parts = text.split(from);
      checkTextLength(text.length + (parts.length - 1) * (to.length - from.length));
      return parts.join(to);
    }
    checkTextLength(text.length * (to.length + 1));
    return `${to}${[...text].map((character) => character + to).join('')}`;
  }
  checkTextLength(text.length + Math.min(count, text.length + 1) * to.length);
  if (from === '') {
    const characters = [...text];
    const head = characters.slice(0, count - 1).map((character) => character + to);
    return `${to}${head.join('')}${characters.slice(count - 1).join('')}`;
  }
  const parts = text.split(from);
  const head = parts.slice(0, count + 1).join(to);
  const tail = parts.slice(count + 1);
  return tail.length === 0 ? head : `${head}${from}${tail.join(from)}`;
}

function split(text: string, separator: string, limit: number | bigint = -1): CelList {
  const count = Number(limit);
  if (count === 0) return new CelList([]);
  if (count === 1) return new CelList([text]);
  const parts = separator === '' ? [...text] : text.split(separator);
  if (count < 0 || parts.length <= count) return new CelList(parts);
  return new CelList([...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]);
}

function join(list: CelList, separator = ''): string {
  const parts = list.values() as string[];
  const length = parts.reduce((sum, part) => sum + part.length + separator.length, 0);
  checkTextLength(length);
  return parts.join(separator);
}

const asciiUpper = (text: string): string =>
  text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
const asciiLower = (text: string): string =>
  text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Unicode's White_Space, as Go's TrimSpace. */
const blanks =
  '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leading = new RegExp(`^${blanks}+`);
const blank = new RegExp(blanks);

function trim(text: string): string {
  let end = text.length;
  while (end > 0 && blank.test(text[end - 1] as string)) end -= 1;
  return text.slice(0, end).replace(leading, '');
}

export const stringLibrary: Library = {
  charAt: [memberOverload('string_char_at_int', [stringType, intType], stringType, charAt)],
  indexOf: [
    memberOverload('string_index_of_string', [stringType, stringType], intType, indexOf),
    memberOverload(
      'string_index_of_string_int',
      [stringType, stringType, intType],
      intType,
      indexOf,
    ),
  ],
  lastIndexOf: [
    memberOverload('string_last_index_of_string', [stringType, stringType], intType, lastIndexOf),
    memberOverload(
      'string_last_index_of_string_int',
      [stringType, stringType, intType],
      intType,
      lastIndexOfFrom,
    ),
  ],
  lowerAscii: [memberOverload('string_lower_ascii', [stringType], stringType, asciiLower)],
  upperAscii: [memberOverload('string_upper_ascii', [stringType], stringType, asciiUpper)],
  replace: [
    memberOverload(
      'string_replace_string_string',
      [stringType, stringType, stringType],
      stringType,
      replace,
    ),
    memberOverload(
      'string_replace_string_string_int',
      [stringType, stringType, stringType, intType],
      stringType,
      replace,
    ),
  ],
  split: [
    memberOverload('string_split_string', [stringType, stringType], strings, split),
    memberOverload('string_split_string_int', [stringType, stringType, intType], strings, split),
  ],
  substring: [
    memberOverload('string_substring_int', [stringType, intType], stringType, substring),
    memberOverload(
      'string_substring_int_int',
      [stringType, intType, intType],
      stringType,
      substring,
    ),
  ],
  trim: [memberOverload('string_trim', [stringType], stringType, trim)],
  format: [
    memberOverload('string_format', [stringType, listOf(dynType)], stringType, formatString),
  ],
  'strings.quote': [globalOverload('strings_quote', [stringType], stringType, quoteGo)],
  join: [
    memberOverload('list_join', [strings], stringType, join),
    memberOverload('list_join_string', [strings, stringType], stringType, join),
  ],
};

/** Version 3 has reverse; it joins the overload of lists that Kubernetes enables. */
export function reverseText(text: string): string {
  return [...text].reverse().join('');
}
