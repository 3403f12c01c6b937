import type {
  StorageClass,
  TopologySelectorTerm,
  VolumeAttributesClass,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, checkImmutable, checkOneOf, checkUnique, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { totalBytes } from '../shared/object-meta.ts';
import { isEmpty } from '../unchecked.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';

const reclaimPolicies = ['Delete', 'Retain'];
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];
const maxParameters = 512;
const maxParameterBytes = 262144;

function checkDriver(errors: ErrorList, field: string, name: string | undefined): void {
  if (name === undefined || name === '') {
    errors.required(rootPath, field);
    return;
  }
  for (const detail of labelKeyErrors(name.toLowerCase())) {
    errors.invalid(rootPath, field, name, detail);
  }
}

function checkParameters(errors: ErrorList, parameters: StringMap | undefined): void {
  if (parameters === undefined) return;
  if (Object.keys(parameters).length > maxParameters) {
    errors.tooLong(rootPath, 'parameters', maxParameters);
    return;
  }
  for (const key in parameters) {
    if (key === '') errors.invalid(rootPath, 'parameters', '', 'field can not be empty.');
  }
  if (totalBytes(parameters) > maxParameterBytes) {
    errors.tooLong(rootPath, 'parameters', maxParameterBytes);
  }
}

export const storageClassRules: KindRules<StorageClass> = {
  name: dns1123SubdomainErrors,
  check(errors, storageClass) {
    checkDriver(errors, 'provisioner', storageClass.provisioner);
    checkParameters(errors, storageClass.parameters);
    checkOneOf(errors, rootPath, 'reclaimPolicy', storageClass.reclaimPolicy, reclaimPolicies);
    const { volumeBindingMode, allowedTopologies = [] } = storageClass;
    requireOneOf(errors, rootPath, 'volumeBindingMode', volumeBindingMode, bindingModes);
    checkTopologies(errors, allowedTopologies);
  },
  update(errors, object, old) {
    if (!(isEmpty(object.parameters) && isEmpty(old.parameters))) {
      checkImmutable(errors, rootPath, 'parameters', object.parameters, old.parameters);
    }
    for (const field of ['provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const) {
      checkImmutable(errors, rootPath, field, object[field], old[field]);
    }
  },
};

function checkTopologies(
  errors: ErrorList,
  terms: ReadonlyArray<Unchecked<TopologySelectorTerm>>,
): void {
  const seen = new Set<string>();
  terms.forEach((term, index) => {
    const path = rootPath.child('allowedTopologies').at(index).child('matchLabelExpressions');
    const keys = new Set<string>();
    (term.matchLabelExpressions ?? []).forEach(({ key = '', values = [] }, place) => {
      const at = path.at(place);
      if (values.length === 0) errors.required(at, 'values');
      checkUnique(errors, at.child('values'), values);
      checkFormat(errors, at, 'key', key, labelKeyErrors);
      if (keys.has(key)) errors.duplicate(at, 'key', key);
      keys.add(key);
    });
    const text = JSON.stringify(term);
    if (seen.has(text)) errors.duplicate(path, '', '');
    seen.add(text);
  });
}

export const volumeAttributesClassRules: KindRules<VolumeAttributesClass> = {
  name: dns1123SubdomainErrors,
  check(errors, { driverName, parameters }) {
    checkDriver(errors, 'driverName', driverName);
    checkParameters(errors, parameters);
    if (isEmpty(parameters)) {
      errors.required(rootPath, 'parameters', 'must contain at least one key/value pair');
    }
  },
  update(errors, object, old) {
    for (const field of ['driverName', 'parameters'] as const) {
      if (jsonEqual(object[field], old[field])) continue;
      errors.forbidden(rootPath, field, `updates to ${field} are forbidden.`);
    }
  },
};
