import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  Role,
  RoleBinding,
  RoleRef,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkFormat, checkOneOf, requireFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import { dns1123SubdomainErrors, pathSegmentErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

const rbacGroup = 'rbac.authorization.k8s.io';
const subjectKinds = ['ServiceAccount', 'User', 'Group'];

function checkRules(
  errors: ErrorList,
  rules: ReadonlyArray<Unchecked<PolicyRule>> | undefined,
  isNamespaced: boolean,
): void {
  (rules ?? []).forEach((rule, index) => {
    const path = rootPath.child('rules').at(index);
    const { nonResourceURLs = [] } = rule;
    if (isEmpty(rule.verbs)) {
      errors.required(path, 'verbs', 'verbs must contain at least one value');
    }
    if (nonResourceURLs.length > 0) {
      if (isNamespaced) {
        const detail = 'namespaced rules cannot apply to non-resource URLs';
        errors.invalid(path, 'nonResourceURLs', nonResourceURLs, detail);
      }
      if (!isEmpty(rule.apiGroups) || !isEmpty(rule.resources) || !isEmpty(rule.resourceNames)) {
        const detail = 'rules cannot apply to both regular resources and non-resource URLs';
        errors.invalid(path, 'nonResourceURLs', nonResourceURLs, detail);
      }
      return;
    }
    if (isEmpty(rule.apiGroups)) {
      errors.required(path, 'apiGroups', 'resource rules must supply at least one api group');
    }
    if (isEmpty(rule.resources)) {
      errors.required(path, 'resources', 'resource rules must supply at least one resource');
    }
  });
}

export const roleRules: KindRules<Role> = {
  name: pathSegmentErrors,
  check(errors, { rules }) {
    checkRules(errors, rules, true);
  },
};

export const clusterRoleRules: KindRules<ClusterRole> = {
  name: pathSegmentErrors,
  check(errors, { rules, aggregationRule }, old) {
    checkRules(errors, rules, false);
    if (aggregationRule === undefined) return;
    const path = rootPath.child('aggregationRule.clusterRoleSelectors');
    const selectors = aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) {
      const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
      errors.required(path, '', detail);
    }
    selectors.forEach((selector, index) => {
      const before = errors.count;
      const stored = old?.aggregationRule?.clusterRoleSelectors?.[index];
      checkLabelSelector(errors, path.at(index), selector, stored);
      if (errors.count > before) {
        errors.invalid(path, index, selector, 'invalid label selector.');
      }
    });
  },
};

interface Binding {
  readonly roleRef?: Unchecked<RoleRef> | undefined;
  readonly subjects?: ReadonlyArray<Unchecked<RbacV1Subject>> | undefined;
}

function checkBinding(
  errors: ErrorList,
  { roleRef = {}, subjects = [] }: Binding,
  roleKinds: readonly string[],
  isNamespaced: boolean,
): void {
  const path = rootPath.child('roleRef');
  checkOneOf(errors, path, 'apiGroup', roleRef.apiGroup ?? '', [rbacGroup]);
  checkOneOf(errors, path, 'kind', roleRef.kind ?? '', roleKinds);
  requireFormat(errors, path, 'name', roleRef.name, pathSegmentErrors);
  subjects.forEach((subject, index) => {
    checkSubject(errors, rootPath.child('subjects').at(index), subject, isNamespaced);
  });
}

function checkSubject(
  errors: ErrorList,
  path: FieldPath,
  { kind = '', name = '', namespace = '', apiGroup = '' }: Unchecked<RbacV1Subject>,
  isNamespaced: boolean,
): void {
  requireText(errors, path, 'name', name);
  if (kind === 'ServiceAccount') {
    if (name !== '') checkFormat(errors, path, 'name', name, dns1123SubdomainErrors);
    checkOneOf(errors, path, 'apiGroup', apiGroup, ['']);
    if (!isNamespaced) requireText(errors, path, 'namespace', namespace);
  } else if (kind === 'User' || kind === 'Group') {
    checkOneOf(errors, path, 'apiGroup', apiGroup, [rbacGroup]);
  } else errors.notSupported(path, 'kind', kind, subjectKinds);
}

/** The role of a binding stays, so that who may change subjects cannot grant more. */
function checkRoleRef(errors: ErrorList, now: Binding, old: Binding): void {
  if (jsonEqual(now.roleRef, old.roleRef)) return;
  const { apiGroup = '', kind = '', name = '' } = now.roleRef ?? {};
  const value = { APIGroup: apiGroup, Kind: kind, Name: name };
  errors.invalid(rootPath, 'roleRef', value, 'cannot change roleRef');
}

export const roleBindingRules: KindRules<RoleBinding> = {
  name: pathSegmentErrors,
  check(errors, binding) {
    checkBinding(errors, binding, ['Role', 'ClusterRole'], true);
  },
  update: checkRoleRef,
};

export const clusterRoleBindingRules: KindRules<ClusterRoleBinding> = {
  name: pathSegmentErrors,
  check(errors, binding) {
    checkBinding(errors, binding, ['ClusterRole'], false);
  },
  update: checkRoleRef,
};
