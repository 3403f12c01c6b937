import { checkMaxBytes } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';

export function checkCsiDriverName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  name: string | undefined,
): void {
  const text = name ?? '';
  if (text === '') errors.required(path, field);
  checkMaxBytes(errors, path, field, text, 63);
  for (const detail of dns1123SubdomainErrors(text.toLowerCase())) {
    errors.invalid(path, field, text, detail);
  }
}
