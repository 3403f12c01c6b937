import type { KeyToPath } from '../../generated/types.ts';
import { requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkLocalPath } from '../formats/paths.ts';
import type { Unchecked } from '../unchecked.ts';

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';

export function checkFileMode(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  mode: number | undefined,
): void {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return;
  errors.invalid(path, field, mode, modeText);
}

/** Keys of a config map or secret and the files they become. */
export function checkKeyPaths(
  errors: ErrorList,
  path: FieldPath,
  items: ReadonlyArray<Unchecked<KeyToPath>> | undefined,
): void {
  if (items === undefined) return;
  for (let index = 0; index < items.length; index++) {
    const at = path.child('items').at(index);
    const item = items[index] ?? {};
    requireText(errors, at, 'key', item.key);
    if (requireText(errors, at, 'path', item.path)) checkLocalPath(errors, at, 'path', item.path);
    checkFileMode(errors, at, 'mode', item.mode);
  }
}
