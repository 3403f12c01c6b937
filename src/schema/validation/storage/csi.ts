import type {
  CSIDriver,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkFormat,
  checkImmutable,
  checkNotNegative,
  checkOneOf,
  immutableText,
  notNegativeText,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkTokenSeconds } from '../pods/projected.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { isNegative } from '../shared/quantities.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { checkCsiDriverName } from './csi-driver-name.ts';

const fsGroupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycleModes = ['Persistent', 'Ephemeral'];

/** Errors spell attachRequired in a way of their own. */
const attachField = 'attachedRequired';

export const csiDriverRules: KindRules<CSIDriver> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }) {
    if (spec.attachRequired === undefined) errors.required(specPath, attachField);
    if (spec.podInfoOnMount === undefined) errors.required(specPath, 'podInfoOnMount');
    if (spec.storageCapacity === undefined) errors.required(specPath, 'storageCapacity');
    checkOneOf(errors, specPath, 'fsGroupPolicy', spec.fsGroupPolicy, fsGroupPolicies);
    const audiences = new Set<string>();
    (spec.tokenRequests ?? []).forEach(({ audience = '', expirationSeconds }, index) => {
      const path = specPath.child('tokenRequests').at(index);
      if (audiences.has(audience)) errors.duplicate(path, 'audience', audience);
      audiences.add(audience);
      checkTokenSeconds(errors, path, expirationSeconds);
    });
    for (const mode of spec.volumeLifecycleModes ?? []) {
      checkOneOf(errors, specPath, 'volumeLifecycleModes', mode, lifecycleModes);
    }
    if (spec.seLinuxMount === undefined) errors.required(specPath, 'seLinuxMount');
    const { nodeAllocatableUpdatePeriodSeconds: seconds } = spec;
    if (seconds !== undefined && seconds < 10) {
      const detail = 'must be greater than or equal to 10 seconds';
      errors.invalid(specPath, 'nodeAllocatableUpdatePeriodSeconds', seconds, detail);
    }
    if (spec.serviceAccountTokenInSecrets !== undefined && isEmpty(spec.tokenRequests)) {
      const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
      const value = spec.serviceAccountTokenInSecrets;
      errors.invalid(specPath, 'serviceAccountTokenInSecrets', value, detail);
    }
  },
  update(errors, { spec = {} }, { spec: old = {} }) {
    checkImmutable(errors, specPath, attachField, spec.attachRequired, old.attachRequired);
    const { volumeLifecycleModes } = old;
    checkImmutable(
      errors,
      specPath,
      'volumeLifecycleModes',
      spec.volumeLifecycleModes,
      volumeLifecycleModes,
    );
  },
};

export const csiNodeRules: KindRules<CSINode> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec }) {
    const names = new Set<string>();
    (spec?.drivers ?? []).forEach((driver, index) => {
      checkNodeDriver(errors, specPath.child('drivers').at(index), driver, names);
    });
  },
  update(errors, { spec }, { spec: old }) {
    const stored = new Map(old?.drivers?.map((driver) => [driver.name, driver]));
    for (const driver of spec?.drivers ?? []) {
      const before = stored.get(driver.name);
      if (before === undefined) continue;
      if (jsonEqual({ ...driver, allocatable: before.allocatable }, before)) continue;
      errors.invalid(specPath, 'drivers', driver, immutableText);
    }
  },
};

function checkNodeDriver(
  errors: ErrorList,
  path: FieldPath,
  { name = '', nodeID = '', allocatable, topologyKeys = [] }: Unchecked<CSINodeDriver>,
  names: Set<string>,
): void {
  checkCsiDriverName(errors, path, 'name', name);
  requireText(errors, path, 'nodeID', nodeID);
  if (nodeID.length > 256) {
    errors.invalid(path, 'nodeID', nodeID, 'must be 256 characters or less');
  }
  checkNotNegative(errors, path, 'allocatable.count', allocatable?.count);
  if (names.has(name)) errors.duplicate(path, 'name', name);
  names.add(name);
  const keys = new Set<string>();
  for (const key of topologyKeys) {
    if (key === '') errors.required(path, '');
    if (keys.has(key)) errors.duplicate(path, '', key);
    keys.add(key);
    checkFormat(errors, path, '', key, labelKeyErrors);
  }
}

export const csiStorageCapacityRules: KindRules<CSIStorageCapacity> = {
  name: dns1123SubdomainErrors,
  check(errors, { nodeTopology, storageClassName, capacity }) {
    checkLabelSelector(errors, rootPath.child('nodeTopology'), nodeTopology);
    checkFormat(errors, rootPath, 'storageClassName', storageClassName, dns1123SubdomainErrors);
    if (capacity !== undefined && isNegative(capacity)) {
      errors.invalid(rootPath, 'capacity', capacity, notNegativeText);
    }
  },
  update(errors, object, old) {
    checkImmutable(errors, rootPath, 'nodeTopology', object.nodeTopology, old.nodeTopology);
    const { storageClassName } = old;
    checkImmutable(errors, rootPath, 'storageClassName', object.storageClassName, storageClassName);
  },
};
