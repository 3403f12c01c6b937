import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkEachFormat,
  checkMaxItems,
  checkOneOf,
  checkUnique,
  requireFormat,
  requireOneOf,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { pathSegmentErrors } from '../formats/names.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';

type Rule = Unchecked<NamedRuleWithOperations>;

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
export const matchPolicies: readonly string[] = ['Equivalent', 'Exact'];
const maxConditions = 64;

/** Which requests a webhook or policy is asked about. */
export function checkResourceRule(errors: ErrorList, path: FieldPath, rule: Rule): void {
  const { operations: verbs = [], apiVersions = [], resources = [] } = rule;
  if (verbs.length === 0) errors.required(path, 'operations');
  checkWildcard(errors, path, 'operations', verbs, 'operations');
  verbs.forEach((verb, index) => {
    checkOneOf(errors, path.child('operations'), index, verb, operations);
  });
  if ((rule.apiGroups ?? []).length === 0) errors.required(path, 'apiGroups');
  checkWildcard(errors, path, 'apiGroups', rule.apiGroups ?? [], 'API groups');
  if (apiVersions.length === 0) errors.required(path, 'apiVersions');
  checkWildcard(errors, path, 'apiVersions', apiVersions, 'API versions');
  apiVersions.forEach((version, index) => {
    if (version === '') errors.required(path.child('apiVersions'), index);
  });
  if (resources.length === 0) errors.required(path, 'resources');
  else checkResources(errors, path.child('resources'), resources);
  checkOneOf(errors, path, 'scope', rule.scope, scopes);
}

function checkWildcard(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  list: readonly string[],
  what: string,
): void {
  if (list.length < 2 || !list.includes('*')) return;
  errors.invalid(path, field, list, `if '*' is present, must not specify other ${what}`);
}

function checkResources(errors: ErrorList, path: FieldPath, resources: readonly string[]): void {
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  let hasPlain = false;
  resources.forEach((entry, index) => {
    if (entry === '') errors.required(path, index);
    if (entry === '*' || entry === '*/*') return;
    const [resource = '', subresource] = entry.split('/');
    if (subresource === undefined) {
      hasPlain = true;
      return;
    }
    if (wholeResources.has(resource)) {
      const detail = `if '${resource}/*' is present, must not specify ${entry}`;
      errors.invalid(path, index, entry, detail);
    }
    if (wholeSubresources.has(subresource)) {
      const detail = `if '*/${subresource}' is present, must not specify ${entry}`;
      errors.invalid(path, index, entry, detail);
    }
    if (subresource === '*') wholeResources.add(resource);
    if (resource === '*') wholeSubresources.add(subresource);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    const detail = "if '*/*' is present, must not specify other resources";
    errors.invalid(path, '', resources, detail);
  }
  if (resources.includes('*') && hasPlain) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.invalid(path, '', resources, detail);
  }
}

/** Conditions in CEL; what they say is checked where they are compiled. */
export function checkMatchConditions(
  errors: ErrorList,
  path: FieldPath,
  conditions: ReadonlyArray<Unchecked<MatchCondition>> | undefined,
): void {
  if (conditions === undefined) return;
  checkMaxItems(errors, path, '', conditions, maxConditions);
  const names = new Set<string>();
  conditions.forEach(({ name = '', expression = '' }, index) => {
    const at = path.at(index);
    if (expression.trim() === '') errors.required(at, 'expression');
    requireFormat(errors, at, 'name', name, labelKeyErrors);
    if (names.has(name)) errors.duplicate(at, 'name', name);
    names.add(name);
  });
}

export function checkMatchResources(
  errors: ErrorList,
  path: FieldPath,
  match: Unchecked<MatchResources>,
): void {
  requireOneOf(errors, path, 'matchPolicy', match.matchPolicy, matchPolicies);
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    if (match[field] === undefined) errors.required(path, field);
    else checkLabelSelector(errors, path.child(field), match[field]);
  }
  for (const field of ['resourceRules', 'excludeResourceRules'] as const) {
    (match[field] ?? []).forEach((rule, index) => {
      const at = path.child(field).at(index);
      const names = at.child('resourceNames');
      checkEachFormat(errors, names, rule.resourceNames, pathSegmentErrors);
      checkUnique(errors, names, rule.resourceNames ?? []);
      checkResourceRule(errors, at, rule);
    });
  }
}
