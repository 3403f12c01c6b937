import type { FieldError, FieldErrorType } from '../field-error.ts';
import { noValue, renderValue } from './bad-value.ts';
import type { FieldPath } from './field-path.ts';

/** Errors beyond this are not collected: nobody reads them, and each one costs an answer's space. */
const maxErrors = 1000;

/**
 * Collects what is wrong with one object, worded as upstream's field errors. Every method takes a
 * path and, below it, a field name, a list index, or '' for the path itself, so that checks of
 * scalars need no path of their own.
 */
export class ErrorList {
  readonly errors: FieldError[] = [];

  get count(): number {
    return this.errors.length;
  }

  required(path: FieldPath, field: string | number, detail = ''): void {
    this.#add('FieldValueRequired', path, field, 'Required value', detail);
  }

  forbidden(path: FieldPath, field: string | number, detail: string): void {
    this.#add('FieldValueForbidden', path, field, 'Forbidden', detail);
  }

  invalid(path: FieldPath, field: string | number, value: unknown, detail: string): void {
    const label = 'Invalid value';
    if (value !== noValue) {
      this.#add('FieldValueInvalid', path, field, `${label}: ${renderValue(value)}`, detail);
    } else this.#add('FieldValueInvalid', path, field, label, detail);
  }

  notSupported(
    path: FieldPath,
    field: string | number,
    value: unknown,
    supported: readonly string[],
  ): void {
    const detail = `supported values: ${supported.map((text) => `"${text}"`).join(', ')}`;
    const label = `Unsupported value: ${renderValue(value)}`;
    this.#add('FieldValueNotSupported', path, field, label, detail);
  }

  duplicate(path: FieldPath, field: string | number, value: unknown, detail = ''): void {
    const label = `Duplicate value: ${renderValue(value)}`;
    this.#add('FieldValueDuplicate', path, field, label, detail);
  }

  notFound(path: FieldPath, field: string | number, value: unknown, detail = ''): void {
    this.#add('FieldValueNotFound', path, field, `Not found: ${renderValue(value)}`, detail);
  }

  tooLong(path: FieldPath, field: string | number, maxBytes: number): void {
    const detail = `may not be more than ${maxBytes} bytes`;
    this.#add('FieldValueTooLong', path, field, 'Too long', detail);
  }

  tooMany(path: FieldPath, field: string | number, count: number, max: number): void {
    const detail = `must have at most ${max} items`;
    this.#add('FieldValueTooMany', path, field, `Too many: ${count}`, detail);
  }

  #add(
    type: FieldErrorType,
    path: FieldPath,
    field: string | number,
    label: string,
    detail: string,
  ): void {
    if (this.errors.length >= maxErrors) return;
    const place = typeof field === 'number' ? path.at(field) : path.child(field);
    const message = detail === '' ? label : `${label}: ${detail}`;
    this.errors.push({ type, field: place.toString(), message });
  }
}
