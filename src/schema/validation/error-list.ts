import type { FieldError, FieldErrorType } from '../field-error.ts';
import { noValue, renderValue } from './bad-value.ts';
import type { FieldPath } from './field-path.ts';

/** Errors beyond this, or once their texts are this long together, are left out. */
const maxErrors = 1000;
const maxCharacters = 1024 * 1024;

/**
 * Collects what is wrong with one object, worded as upstream's field errors. Every method takes a
 * path and, below it, a field name, a list index, or '' for the path itself, so that checks of
 * scalars need no path of their own.
 */
export class ErrorList {
  readonly errors: FieldError[] = [];
  #characters = 0;

  get count(): number {
    return this.errors.length;
  }

  /** Nothing is taken any more; rules whose texts are dear to make ask first. */
  get isFull(): boolean {
    return this.errors.length >= maxErrors || this.#characters >= maxCharacters;
  }

  required(path: FieldPath, field: string | number, detail = ''): void {
    this.#add('FieldValueRequired', path, field, 'Required value', noValue, detail);
  }

  forbidden(path: FieldPath, field: string | number, detail: string): void {
    this.#add('FieldValueForbidden', path, field, 'Forbidden', noValue, detail);
  }

  invalid(path: FieldPath, field: string | number, value: unknown, detail: string): void {
    this.#add('FieldValueInvalid', path, field, 'Invalid value', value, detail);
  }

  /** A value of another JSON type, or a text that does not have its format. */
  typeInvalid(path: FieldPath, field: string | number, value: unknown, detail: string): void {
    this.#add('FieldValueTypeInvalid', path, field, 'Invalid value', value, detail);
  }

  notSupported(
    path: FieldPath,
    field: string | number,
    value: unknown,
    supported: readonly string[],
  ): void {
    const detail = `supported values: ${supported.map((text) => `"${text}"`).join(', ')}`;
    this.#add('FieldValueNotSupported', path, field, 'Unsupported value', value, detail);
  }

  duplicate(path: FieldPath, field: string | number, value: unknown, detail = ''): void {
    this.#add('FieldValueDuplicate', path, field, 'Duplicate value', value, detail);
  }

  notFound(path: FieldPath, field: string | number, value: unknown, detail = ''): void {
    this.#add('FieldValueNotFound', path, field, 'Not found', value, detail);
  }

  tooLong(path: FieldPath, field: string | number, maxBytes: number): void {
    const detail = `may not be more than ${maxBytes} bytes`;
    this.#add('FieldValueTooLong', path, field, 'Too long', noValue, detail);
  }

  tooMany(path: FieldPath, field: string | number, count: number, max: number): void {
    const detail = `must have at most ${max} items`;
    this.#add('FieldValueTooMany', path, field, 'Too many', count, detail);
  }

  /** Takes over errors found apart, as when they had to be sorted first. */
  addAll(found: readonly FieldError[]): void {
    for (const error of found) {
      if (this.isFull) return;
      this.#characters += error.field.length + error.message.length;
      this.errors.push(error);
    }
  }

  #add(
    type: FieldErrorType,
    path: FieldPath,
    field: string | number,
    label: string,
    value: unknown,
    detail: string,
  ): void {
    if (this.isFull) return;
    const place = typeof field === 'number' ? path.at(field) : path.child(field);
    const start = value === noValue ? label : `${label}: ${renderValue(value)}`;
    const message = detail === '' ? start : `${start}: ${detail}`;
    const error = { type, field: place.toString(), message };
    this.#characters += error.field.length + message.length;
    this.errors.push(error);
  }
}
