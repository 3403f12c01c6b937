import type { OpaqueDeviceConfiguration } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkCsiDriverName } from '../storage/csi-driver-name.ts';
import type { Unchecked } from '../unchecked.ts';
import { exceedsBytes } from '../checks.ts';

const maxParameterBytes = 10 * 1024;

/** Stands for parameters, which may be long or secret. */
const omitted = '<value omitted>';

/** Parameters that only the driver understands. Long ones that were stored before may stay. */
export function checkDeviceConfig(
  errors: ErrorList,
  path: FieldPath,
  opaque: Unchecked<OpaqueDeviceConfiguration> | undefined,
  stored?: unknown,
): void {
  if (opaque === undefined) {
    errors.required(path, 'opaque');
    return;
  }
  const at = path.child('opaque');
  checkCsiDriverName(errors, at, 'driver', opaque.driver);
  checkRawObject(errors, at, 'parameters', opaque.parameters, stored);
}

/** An embedded object of any kind: there, an object, and not too long. */
export function checkRawObject(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: unknown,
  stored: unknown,
): void {
  if (value === undefined || value === null) {
    errors.required(path, field);
    return;
  }
  const isStored = stored !== undefined && jsonEqual(value, stored);
  if (!isStored && exceedsBytes(JSON.stringify(value), maxParameterBytes)) {
    errors.tooLong(path, field, maxParameterBytes);
  } else if (typeof value !== 'object' || Array.isArray(value)) {
    errors.invalid(path, field, omitted, 'must be a valid JSON object');
  }
}
