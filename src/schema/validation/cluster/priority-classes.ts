import type { PriorityClass } from '../../generated/types.ts';
import { checkImmutable, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { metadataPath, rootPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';

const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2000001000,
  'system-cluster-critical': 2000000000,
};
const highestUserPriority = 1000000000;
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];

export const priorityClassRules: KindRules<PriorityClass> = {
  name: dns1123SubdomainErrors,
  create(errors, priorityClass) {
    const { metadata, value = 0, preemptionPolicy } = priorityClass;
    const name = metadata?.name ?? '';
    if (name.startsWith('system-')) {
      checkSystemClass(errors, name, value, priorityClass.globalDefault === true);
    } else if (value > highestUserPriority) {
      const detail = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
      errors.forbidden(rootPath, 'value', detail);
    }
    if (preemptionPolicy !== undefined) {
      requireOneOf(errors, rootPath, 'preemptionPolicy', preemptionPolicy, preemptionPolicies);
    }
  },
  update(errors, { value, preemptionPolicy }, old) {
    if ((value ?? 0) !== (old.value ?? 0)) {
      errors.forbidden(rootPath, 'value', 'may not be changed in an update.');
    }
    const before = old.preemptionPolicy;
    checkImmutable(errors, rootPath, 'preemptionPolicy', preemptionPolicy, before);
  },
};

function checkSystemClass(
  errors: ErrorList,
  name: string,
  value: number,
  isDefault: boolean,
): void {
  const wanted = systemPriorities[name];
  const say = (why: string): void => {
    const rule = "priority class names with 'system-' prefix are reserved for system use only.";
    errors.forbidden(metadataPath, 'name', `${rule} error: ${why}`);
  };
  if (wanted === undefined) say(`${name} is not a known system priority class`);
  else if (value !== wanted) say(`value of ${name} PriorityClass must be ${wanted}`);
  else if (isDefault) say(`globalDefault of ${name} PriorityClass must be false`);
}
