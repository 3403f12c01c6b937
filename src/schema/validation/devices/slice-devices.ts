import type {
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  DeviceTaint,
} from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import {
  checkEach,
  checkFormat,
  checkMaxBytes,
  checkMaxItems,
  checkOptionalFormat,
  checkUnique,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { checkCapacityPolicy } from './capacity-policy.ts';
import { deviceTaintEffects } from './device-requests.ts';

const maxAttributes = 32;
const maxValues = 48;
const maxValueBytes = 64;
const maxTaints = 16;
const maxConsumed = 2;
const maxCounters = 32;
const maxBindingConditions = 4;
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;
const perDevice = 'is set to true in the ResourceSlice spec';

/** One device of a slice. */
export function checkSliceDevice(
  errors: ErrorList,
  path: FieldPath,
  device: Unchecked<Device>,
  isPerDevice: boolean,
): void {
  checkFormat(errors, path, 'name', device.name, dns1123LabelErrors);
  checkAttributes(errors, path, device);
  const isShared = device.allowMultipleAllocations === true;
  for (const [name, capacity] of Object.entries(device.capacity ?? {})) {
    const policy = capacity?.requestPolicy;
    if (policy === undefined) continue;
    const at = path.child('capacity').key(name).child('requestPolicy');
    if (isShared) checkCapacityPolicy(errors, at, policy, capacity?.value);
    else errors.forbidden(at, '', 'allowMultipleAllocations must be true');
  }
  checkMaxItems(errors, path, 'taints', device.taints, maxTaints);
  checkEach(errors, path.child('taints'), device.taints, checkTaint);
  checkMaxItems(errors, path, 'consumesCounters', device.consumesCounters, maxConsumed);
  checkEach(errors, path.child('consumesCounters'), device.consumesCounters, checkConsumption);
  checkBinding(errors, path, device);
  checkNodes(errors, path, device, isPerDevice);
}

function checkAttributes(
  errors: ErrorList,
  path: FieldPath,
  { attributes = {}, capacity = {} }: Unchecked<Device>,
): void {
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > maxAttributes) {
    const detail = `the total number of attributes and capacities must not exceed ${maxAttributes}`;
    errors.invalid(path, '', count, detail);
  }
  let values = 0;
  for (const [name, attribute = {}] of Object.entries(attributes)) {
    for (const value of Object.values(attribute)) values += Array.isArray(value) ? value.length : 1;
    checkAttribute(errors, path.child('attributes').key(name), attribute);
  }
  if (values > maxValues) {
    const detail = `the total number of attribute values must not exceed ${maxValues}`;
    errors.invalid(path, '', values, detail);
  }
}

function checkAttribute(
  errors: ErrorList,
  path: FieldPath,
  attribute: Unchecked<DeviceAttribute>,
): void {
  const set = Object.values(attribute).filter((value) => value !== undefined);
  if (set.length !== 1) {
    errors.invalid(path, '', attribute, 'exactly one value must be specified');
  }
  const { string: text, version, strings, versions } = attribute;
  checkMaxBytes(errors, path, 'string', text, maxValueBytes);
  if (version !== undefined) checkVersion(errors, path, 'version', version);
  strings?.forEach((value, index) => {
    checkMaxBytes(errors, path.child('strings'), index, value, maxValueBytes);
  });
  versions?.forEach((value, index) => {
    checkVersion(errors, path.child('versions'), index, value);
  });
}

function checkVersion(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: string,
): void {
  if (!semver.test(value)) {
    const detail = 'must be a string compatible with semver.org spec 2.0.0';
    errors.invalid(path, field, value, detail);
  }
  checkMaxBytes(errors, path, field, value, maxValueBytes);
}

function checkTaint(
  errors: ErrorList,
  path: FieldPath,
  { key, value, effect }: Unchecked<DeviceTaint>,
): void {
  checkFormat(errors, path, 'key', key, labelKeyErrors);
  checkOptionalFormat(errors, path, 'value', value, labelValueErrors);
  requireOneOf(errors, path, 'effect', effect, deviceTaintEffects);
}

function checkConsumption(
  errors: ErrorList,
  path: FieldPath,
  { counterSet, counters }: Unchecked<DeviceCounterConsumption>,
): void {
  requireText(errors, path, 'counterSet', counterSet);
  checkCounters(errors, path, counters);
}

export function checkCounters(
  errors: ErrorList,
  path: FieldPath,
  counters: Readonly<Record<string, unknown>> | undefined,
): void {
  if (isEmpty(counters)) {
    errors.required(path, 'counters');
    return;
  }
  const names = Object.keys(counters ?? {});
  checkMaxItems(errors, path, 'counters', names, maxCounters);
  for (const name of names) {
    checkFormat(errors, path.child('counters').key(name), '', name, dns1123LabelErrors);
  }
}

/** Conditions a driver reports before a pod may be bound: success and failure go together. */
function checkBinding(errors: ErrorList, path: FieldPath, device: Unchecked<Device>): void {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  checkMaxItems(errors, path, 'bindingConditions', good, maxBindingConditions);
  checkMaxItems(errors, path, 'bindingFailureConditions', bad, maxBindingConditions);
  checkUnique(errors, path.child('bindingConditions'), good);
  checkUnique(errors, path.child('bindingFailureConditions'), bad);
  bad.forEach((name, index) => {
    if (!good.includes(name)) return;
    const detail = 'bindingFailureConditions must not overlap with bindingConditions';
    errors.invalid(path.child('bindingFailureConditions'), index, name, detail);
  });
  if (good.length === 0 && bad.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.invalid(path, 'bindingConditions', good, detail);
  }
  if (bad.length === 0 && good.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.invalid(path, 'bindingFailureConditions', bad, detail);
  }
}

function checkNodes(
  errors: ErrorList,
  path: FieldPath,
  { nodeName, nodeSelector, allNodes }: Unchecked<Device>,
  isPerDevice: boolean,
): void {
  const set = [nodeName, nodeSelector, allNodes].filter((value) => value !== undefined);
  if (!isPerDevice) {
    if (set.length === 0) return;
    const detail = `\`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if \`perDeviceNodeSelection\` ${perDevice}`;
    errors.invalid(path, '', null, detail);
  } else if (set.length === 0) {
    const detail = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required when \`perDeviceNodeSelection\` ${perDevice}`;
    errors.required(path, '', detail);
  }
}
