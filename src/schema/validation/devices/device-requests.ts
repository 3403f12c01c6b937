import type {
  CELDeviceSelector,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
} from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import {
  checkEach,
  checkFormat,
  checkMaxBytes,
  checkMaxItems,
  checkOneOf,
  checkOptionalFormat,
  requireFormat,
  requireOneOf,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';

export const maxDeviceSelectors = 32;
const maxExpressionBytes = 10 * 1024;
const allocationModes: readonly string[] = ['All', 'ExactCount'];
const operators: readonly string[] = ['Equal', 'Exists'];

export const deviceTaintEffects: readonly string[] = ['NoExecute', 'NoSchedule', 'None'];

/** What a claim asks of one class of devices, directly or as one of several choices. */
export function checkDeviceRequest(
  errors: ErrorList,
  path: FieldPath,
  request: Unchecked<ExactDeviceRequest | DeviceSubRequest>,
): void {
  const { deviceClassName, selectors, allocationMode, count = 0 } = request;
  requireFormat(errors, path, 'deviceClassName', deviceClassName, dns1123SubdomainErrors);
  checkDeviceSelectors(errors, path, selectors);
  if (allocationMode === 'All') {
    if (count !== 0) {
      const detail = "must not be specified when allocationMode is 'All'";
      errors.invalid(path, 'count', count, detail);
    }
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.invalid(path, 'count', count, 'must be greater than zero');
  } else errors.notSupported(path, 'allocationMode', allocationMode ?? '', allocationModes);
  checkEach(errors, path.child('tolerations'), request.tolerations, checkDeviceToleration);
}

export function checkDeviceSelectors(
  errors: ErrorList,
  path: FieldPath,
  selectors: ReadonlyArray<Unchecked<DeviceSelector>> | undefined,
): void {
  checkMaxItems(errors, path, 'selectors', selectors, maxDeviceSelectors);
  checkEach(errors, path.child('selectors'), selectors, (_errors, at, { cel }) => {
    if (isEmpty(cel)) errors.required(at, 'cel');
    else checkExpression(errors, at.child('cel'), cel);
  });
}

function checkExpression(
  errors: ErrorList,
  path: FieldPath,
  cel: Unchecked<CELDeviceSelector> | undefined,
): void {
  checkMaxBytes(errors, path, 'expression', cel?.expression, maxExpressionBytes);
}

function checkDeviceToleration(
  errors: ErrorList,
  path: FieldPath,
  { key, value, operator, effect }: Unchecked<DeviceToleration>,
): void {
  checkOptionalFormat(errors, path, 'key', key, labelKeyErrors);
  if (operator === 'Exists') {
    if (!isEmpty(value)) {
      errors.invalid(path, 'value', value, 'must be empty for operator `Exists`');
    }
  } else if (operator === 'Equal') checkFormat(errors, path, 'value', value, labelValueErrors);
  else requireOneOf(errors, path, 'operator', operator, operators);
  if (effect !== '') checkOneOf(errors, path, 'effect', effect, deviceTaintEffects);
}
