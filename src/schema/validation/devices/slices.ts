import type { CounterSet, ResourceSlice, ResourceSliceSpec } from '../../generated/types.ts';
import {
  checkEach,
  checkImmutable,
  checkMaxItems,
  checkOptionalFormat,
  requireFormat,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkNodeSelector } from '../shared/node-selector.ts';
import { checkCsiDriverName } from '../storage/csi-driver-name.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { checkCounters, checkSliceDevice } from './slice-devices.ts';
import { checkPoolName } from './pool-name.ts';

const maxDevices = 128;
/** Devices with taints, counters or lists of attribute values are dearer. */
const maxDearDevices = 64;
const maxCounterSets = 8;
const nodeFields = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;

export const resourceSliceRules: KindRules<ResourceSlice> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec }) {
    checkSlice(errors, spec ?? {});
  },
  update(errors, { spec }, { spec: old }) {
    checkImmutable(errors, specPath, 'pool.name', spec?.pool?.name, old?.pool?.name);
    checkImmutable(errors, specPath, 'driver', spec?.driver, old?.driver);
    checkImmutable(errors, specPath, 'nodeName', spec?.nodeName, old?.nodeName);
  },
};

function checkSlice(errors: ErrorList, spec: Unchecked<ResourceSliceSpec>): void {
  checkCsiDriverName(errors, specPath, 'driver', spec.driver);
  checkPool(errors, specPath.child('pool'), spec.pool);
  checkNodes(errors, spec);
  const { devices, sharedCounters } = spec;
  if (!isEmpty(devices) && !isEmpty(sharedCounters)) {
    errors.invalid(specPath, '', '', 'only one of `sharedCounters` or `devices` is allowed');
  }
  checkMaxItems(errors, specPath, 'devices', devices, isDear(spec) ? maxDearDevices : maxDevices);
  const seen = new Set<string>();
  checkEach(errors, specPath.child('devices'), devices, (_errors, at, device) => {
    checkSliceDevice(errors, at, device, spec.perDeviceNodeSelection === true);
    const name = device.name ?? '';
    if (seen.has(name)) errors.duplicate(at, '', name);
    seen.add(name);
  });
  checkMaxItems(errors, specPath, 'sharedCounters', sharedCounters, maxCounterSets);
  checkEach(errors, specPath.child('sharedCounters'), sharedCounters, checkCounterSet);
}

function isDear({ devices = [] }: Unchecked<ResourceSliceSpec>): boolean {
  return devices.some(
    ({ taints, consumesCounters, attributes = {} }) =>
      !isEmpty(taints) ||
      !isEmpty(consumesCounters) ||
      Object.values(attributes).some((value) => Object.values(value ?? {}).some(Array.isArray)),
  );
}

function checkPool(
  errors: ErrorList,
  path: FieldPath,
  pool: Unchecked<ResourceSliceSpec['pool']> | undefined,
): void {
  const { name, resourceSliceCount = 0, generation = 0 } = pool ?? {};
  checkPoolName(errors, path, 'name', name);
  if (resourceSliceCount <= 0) {
    errors.invalid(path, 'resourceSliceCount', resourceSliceCount, 'must be greater than zero');
  }
  if (generation < 0) {
    errors.invalid(path, 'generation', generation, 'must be greater than or equal to zero');
  }
}

/** A slice says in exactly one way which nodes reach its devices. */
function checkNodes(errors: ErrorList, spec: Unchecked<ResourceSliceSpec>): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const orText = 'must be either unset or set to';
  if (nodeName === '') errors.invalid(specPath, 'nodeName', '', `${orText} a non-empty string`);
  else checkOptionalFormat(errors, specPath, 'nodeName', nodeName, dns1123SubdomainErrors);
  if (nodeSelector !== undefined) {
    const at = specPath.child('nodeSelector');
    checkNodeSelector(errors, at, nodeSelector);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const detail = 'must have exactly one node selector term';
      errors.invalid(at, 'nodeSelectorTerms', terms, detail);
    }
  }
  if (allNodes === false) errors.invalid(specPath, 'allNodes', false, `${orText} true`);
  if (perDeviceNodeSelection === false) {
    errors.invalid(specPath, 'perDeviceNodeSelection', false, `${orText} true`);
  }
  const set = nodeFields.filter((field) => spec[field] !== undefined);
  const names = nodeFields.map((field) => `\`${field}\``).join(', ');
  const detail = `exactly one of ${names} is required`;
  if (set.length === 0) errors.required(specPath, '', detail);
  else if (set.length > 1) {
    const value = `{${set.map((field) => `\`${field}\``).join(', ')}}`;
    errors.invalid(specPath, '', value, `${detail}, but multiple fields are set`);
  }
}

function checkCounterSet(
  errors: ErrorList,
  path: FieldPath,
  { name, counters }: Unchecked<CounterSet>,
): void {
  requireFormat(errors, path, 'name', name, dns1123LabelErrors);
  checkCounters(errors, path, counters);
}
