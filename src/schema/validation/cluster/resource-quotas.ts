import type { ResourceQuota, ResourceQuotaSpec, ScopeSelector } from '../../generated/types.ts';
import { immutableText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath, statusPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkResourceList } from '../shared/quantities.ts';
import { checkQuotaResourceName } from '../shared/resource-names.ts';
import type { Unchecked } from '../unchecked.ts';

type Spec = Unchecked<ResourceQuotaSpec>;

const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const podResources = new Set([
  'pods',
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);
const claimResources = new Set(['persistentvolumeclaims', 'requests.storage']);
const standardResources = new Set([
  ...podResources,
  ...claimResources,
  'ephemeral-storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);

export const resourceQuotaRules: KindRules<ResourceQuota> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {}, status }, old) {
    checkResourceList(errors, specPath.child('hard'), spec.hard, checkQuotaResourceName);
    checkScopes(errors, spec);
    if (spec.scopeSelector !== undefined) checkScopeSelector(errors, spec, spec.scopeSelector);
    if (old === undefined) checkStatusLists(errors, status);
  },
  update(errors, { spec = {} }, { spec: old = {} }) {
    const now = [...new Set(spec.scopes)].toSorted().join();
    if (now === [...new Set(old.scopes)].toSorted().join()) return;
    errors.invalid(specPath, 'scopes', spec.scopes ?? null, immutableText);
  },
  subresources: {
    status(errors, { status }) {
      checkStatusLists(errors, status);
    },
  },
};

function checkStatusLists(errors: ErrorList, status: Unchecked<ResourceQuota>['status']): void {
  for (const field of ['hard', 'used'] as const) {
    checkResourceList(errors, statusPath.child(field), status?.[field], checkQuotaResourceName);
  }
}

/** Whether a scope can bound this resource; resources with a domain are not looked at. */
function carries(scope: string, resource: string): boolean {
  if (!standardResources.has(resource)) return true;
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') return claimResources.has(resource);
  return podResources.has(resource);
}

/** Reports each resource that one of the scopes cannot bound; unknown scopes bound anything. */
function checkCarried(
  errors: ErrorList,
  path: FieldPath,
  value: unknown,
  names: ReadonlySet<string>,
  spec: Spec,
): void {
  for (const name of scopes) {
    if (!names.has(name)) continue;
    for (const resource in spec.hard) {
      if (carries(name, resource)) continue;
      errors.invalid(path, '', value, 'unsupported scope applied to resource');
    }
  }
}

function checkConflicts(
  errors: ErrorList,
  path: FieldPath,
  value: unknown,
  names: ReadonlySet<string>,
): void {
  const pairs = [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ];
  for (const pair of pairs) {
    if (pair.every((name) => names.has(name))) {
      errors.invalid(path, '', value, 'conflicting scopes');
    }
  }
}

function checkScopes(errors: ErrorList, spec: Spec): void {
  const list = spec.scopes ?? [];
  if (list.length === 0) return;
  const path = specPath.child('scopes');
  for (const name of list) {
    if (!scopes.includes(name)) errors.invalid(path, '', list, 'unsupported scope');
  }
  const names = new Set(list);
  checkCarried(errors, path, list, names, spec);
  checkConflicts(errors, path, list, names);
}

const existsText =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

/** Expressions are reported without an index. */
function checkScopeSelector(
  errors: ErrorList,
  spec: Spec,
  selector: Unchecked<ScopeSelector>,
): void {
  const path = specPath.child('scopeSelector.matchExpressions');
  const names = new Set<string>();
  for (const { scopeName = '', operator = '', values = [] } of selector.matchExpressions ?? []) {
    if (!scopes.includes(scopeName)) {
      errors.invalid(path, 'scopeName', scopeName, 'unsupported scope');
    }
    const isFree = scopeName === 'PriorityClass' || scopeName === 'VolumeAttributesClass';
    if (!isFree && scopes.includes(scopeName) && operator !== 'Exists') {
      errors.invalid(path, 'operator', operator, existsText);
    }
    checkScopeValues(errors, path, operator, values);
    names.add(scopeName);
  }
  checkCarried(errors, path, selector, names, spec);
  checkConflicts(errors, path, spec.scopes ?? null, names);
}

function checkScopeValues(
  errors: ErrorList,
  path: FieldPath,
  operator: string,
  values: readonly string[],
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return;
    const detail =
      "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    errors.required(path, 'values', detail);
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return;
    const detail =
      "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.invalid(path, 'values', values, detail);
  } else errors.invalid(path, 'operator', operator, 'not a valid selector operator');
}
