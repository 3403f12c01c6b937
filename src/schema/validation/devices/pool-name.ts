import { checkFormat, checkMaxBytes, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';

const maxBytes = 253;

/** Domain names with slashes between them. */
export function checkPoolName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  name: string | undefined,
): void {
  if (!requireText(errors, path, field, name)) return;
  checkMaxBytes(errors, path, field, name, maxBytes);
  for (const part of name.split('/')) {
    checkFormat(errors, path, field, part, dns1123SubdomainErrors);
  }
}
