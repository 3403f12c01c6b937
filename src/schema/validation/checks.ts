/** The rules that most fields need one of. Each takes where the field is: path and name below it. */
import { jsonEqual } from '../patch/json-equal.ts';
import type { ErrorList } from './error-list.ts';
import type { FieldPath } from './field-path.ts';

/** What is wrong with a text, one message a failed check; empty when it is valid. */
export type Format = (text: string) => readonly string[];

type Text = string | undefined;
type Num = number | undefined;
type Field = string | number;

export const immutableText = 'field is immutable';
export const notNegativeText = 'must be greater than or equal to 0';

/** An absent text counts as the empty one, as in Go. */
export function checkFormat(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  format: Format,
): void {
  const messages = format(value ?? '');
  for (let i = 0; i < messages.length; i++) {
    errors.invalid(path, field, value ?? '', messages[i] ?? '');
  }
}

/** As checkFormat, but nothing is said about an absent or empty text. */
export function checkOptionalFormat(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  format: Format,
): void {
  if (value !== undefined && value !== '') checkFormat(errors, path, field, value, format);
}

/** Returns whether there is a text. */
export function requireText(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  detail = '',
): value is string {
  if (value !== undefined && value !== '') return true;
  errors.required(path, field, detail);
  return false;
}

export function requireFormat(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  format: Format,
): void {
  if (requireText(errors, path, field, value)) checkFormat(errors, path, field, value, format);
}

/** An absent value passes, an empty one does not unless it is listed. */
export function checkOneOf(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  supported: readonly string[],
): void {
  if (value === undefined || supported.includes(value)) return;
  errors.notSupported(path, field, value, supported);
}

export function requireOneOf(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  supported: readonly string[],
): void {
  if (requireText(errors, path, field, value)) {
    checkOneOf(errors, path, field, value, supported);
  }
}

export function checkNotNegative(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Num,
  detail: string = notNegativeText,
): void {
  if (value !== undefined && value < 0) errors.invalid(path, field, value, detail);
}

export function checkRange(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Num,
  low: number,
  high: number,
): void {
  if (value === undefined || (value >= low && value <= high)) return;
  errors.invalid(path, field, value, `must be between ${low} and ${high}, inclusive`);
}

export function checkUserId(errors: ErrorList, path: FieldPath, field: Field, value: Num): void {
  checkRange(errors, path, field, value, 0, 2147483647);
}

/** Returns whether the value is the stored one. */
export function checkImmutable(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: unknown,
  old: unknown,
): boolean {
  if (jsonEqual(value, old)) return true;
  errors.invalid(path, field, value, immutableText);
  return false;
}

export function checkMaxBytes(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  value: Text,
  maxBytes: number,
): void {
  if (value !== undefined && exceedsBytes(value, maxBytes)) errors.tooLong(path, field, maxBytes);
}

export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}

export function checkMaxItems(
  errors: ErrorList,
  path: FieldPath,
  field: Field,
  list: readonly unknown[] | undefined,
  max: number,
): void {
  if (list !== undefined && list.length > max) errors.tooMany(path, field, list.length, max);
}

/** Runs one rule set over the items of a list. */
export function checkEach<T>(
  errors: ErrorList,
  path: FieldPath,
  list: readonly T[] | undefined,
  check: (errors: ErrorList, path: FieldPath, item: T, index: number) => void,
): void {
  if (list === undefined) return;
  for (let index = 0; index < list.length; index++) {
    check(errors, path.at(index), list[index] as T, index);
  }
}

export function checkEachFormat(
  errors: ErrorList,
  path: FieldPath,
  list: readonly string[] | undefined,
  format: Format,
): void {
  if (list === undefined) return;
  for (let index = 0; index < list.length; index++) {
    checkFormat(errors, path, index, list[index], format);
  }
}

/** Reports each item that came before. */
export function checkUnique(
  errors: ErrorList,
  path: FieldPath,
  list: ReadonlyArray<string | undefined>,
): void {
  if (list.length < 2) return;
  const seen = new Set<string | undefined>();
  for (let index = 0; index < list.length; index++) {
    const value = list[index];
    if (seen.has(value)) errors.duplicate(path, index, value);
    seen.add(value);
  }
}
