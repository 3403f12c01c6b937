import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkFormat, checkRange } from '../checks.ts';
import { maxLengthText } from './names.ts';

const none: readonly string[] = [];
const charset = /^[-a-z0-9]+$/;
const letter = /[a-z]/;

/** Names of ports: IANA service names. */
export function portNameErrors(text: string): readonly string[] {
  const errors: string[] = [];
  if (Buffer.byteLength(text) > 15) errors.push(maxLengthText(15));
  if (!charset.test(text)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!letter.test(text)) errors.push('must contain at least one letter (a-z)');
  if (text.includes('--')) errors.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors.length === 0 ? none : errors;
}

export function checkPort(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: number | undefined,
): void {
  checkRange(errors, path, field, value ?? 0, 1, 65535);
}

/** A number, or the name of a container's port; absent counts as 0. */
export function checkPortOrName(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: number | string | undefined,
): void {
  if (typeof value === 'string') checkFormat(errors, path, field, value, portNameErrors);
  else checkPort(errors, path, field, value);
}
