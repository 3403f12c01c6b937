import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';

/** Whether a path goes up somewhere. */
export function hasBackstep(path: string): boolean {
  return path.includes('..') && path.split('/').includes('..');
}

export function checkNoBackstep(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: string,
): void {
  if (hasBackstep(value)) errors.invalid(path, field, value, "must not contain '..'");
}

/** A path below a directory. */
export function checkRelativePath(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: string,
): void {
  if (value.startsWith('/')) errors.invalid(path, field, value, 'must be a relative path');
  checkNoBackstep(errors, path, field, value);
}

/** A relative path of a file in a projected volume, whose own files start with two dots. */
export function checkLocalPath(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: string,
): void {
  checkRelativePath(errors, path, field, value);
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.invalid(path, field, value, "must not start with '..'");
  }
}
