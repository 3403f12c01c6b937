import type {
  FlowSchema,
  FlowSchemaSpec,
  FlowcontrolV1Subject,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath, statusPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { mandatoryFlowSchemas } from './mandatory-specs.ts';

const methods = ['ByNamespace', 'ByUser'];
const subjectKinds = ['Group', 'ServiceAccount', 'User'];
const verbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'proxy',
  'update',
  'watch',
];
const maxPrecedence = 10000;

export const flowSchemaRules: KindRules<FlowSchema> = {
  name: dns1123SubdomainErrors,
  check(errors, { metadata, spec = {} }) {
    const { matchingPrecedence: precedence = 0, distinguisherMethod: method } = spec;
    if (precedence <= 0) {
      errors.invalid(specPath, 'matchingPrecedence', precedence, 'must be a positive value');
    } else if (precedence > maxPrecedence) {
      const detail = `must not be greater than ${maxPrecedence}`;
      errors.invalid(specPath, 'matchingPrecedence', precedence, detail);
    }
    if (precedence === 1 && metadata?.name !== 'exempt') {
      const detail = "only the schema named 'exempt' may have matchingPrecedence 1";
      errors.invalid(specPath, 'matchingPrecedence', precedence, detail);
    }
    if (method !== undefined && !methods.includes(method.type ?? '')) {
      errors.notSupported(specPath, 'distinguisherMethod.type', method, methods);
    }
    const level = spec.priorityLevelConfiguration?.name ?? '';
    const path = specPath.child('priorityLevelConfiguration');
    if (requireText(errors, path, 'name', level, 'must reference a priority level')) {
      checkFormat(errors, path, 'name', level, dns1123SubdomainErrors);
    }
    (spec.rules ?? []).forEach((rule, index) => {
      checkRule(errors, specPath.child('rules').at(index), rule);
    });
    const mandatory: Readonly<Record<string, FlowSchemaSpec>> = mandatoryFlowSchemas;
    const fixed = mandatory[metadata?.name ?? ''];
    if (fixed !== undefined && !jsonEqual(spec, fixed)) {
      const detail = `spec of '${metadata?.name}' must equal the fixed value`;
      errors.invalid(specPath, '', spec, detail);
    }
  },
  subresources: {
    status(errors, { status }) {
      checkFlowConditions(errors, status?.conditions);
    },
  },
};

export function checkFlowConditions(
  errors: ErrorList,
  conditions: ReadonlyArray<{ readonly type?: string | undefined }> | undefined,
): void {
  const seen = new Set<string>();
  (conditions ?? []).forEach(({ type = '' }, index) => {
    const path = statusPath.child('conditions').at(index);
    if (seen.has(type)) errors.duplicate(path, 'type', type);
    seen.add(type);
    requireText(errors, path, 'type', type);
  });
}

function checkRule(
  errors: ErrorList,
  path: FieldPath,
  rule: Unchecked<PolicyRulesWithSubjects>,
): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) {
    errors.required(path, 'subjects', 'subjects must contain at least one value');
  }
  subjects.forEach((subject, index) => {
    checkSubject(errors, path.child('subjects').at(index), subject);
  });
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    const detail = 'at least one of resourceRules and nonResourceRules has to be non-empty';
    errors.required(path, '', detail);
  }
  resourceRules.forEach((resourceRule, index) => {
    checkResourceRule(errors, path.child('resourceRules').at(index), resourceRule);
  });
  nonResourceRules.forEach((nonResourceRule, index) => {
    checkNonResourceRule(errors, path.child('nonResourceRules').at(index), nonResourceRule);
  });
}

const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;

function checkSubject(
  errors: ErrorList,
  path: FieldPath,
  subject: Unchecked<FlowcontrolV1Subject>,
): void {
  const { kind = '', serviceAccount } = subject;
  if (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group') {
    errors.notSupported(path, 'kind', kind, subjectKinds);
    return;
  }
  const field = subjectFields[kind];
  if (subject[field] === undefined) {
    errors.required(path, field, `${field} is required when subject kind is '${kind}'`);
  } else if (field !== 'serviceAccount') {
    requireText(errors, path, `${field}.name`, subject[field].name);
  } else checkAccount(errors, path.child(field), serviceAccount ?? {});
  for (const [otherKind, other] of Object.entries(subjectFields)) {
    if (otherKind === kind || subject[other] === undefined) continue;
    const detail = `${other} is forbidden when subject kind is not '${otherKind}'`;
    errors.forbidden(path, other, detail);
  }
}

function checkAccount(
  errors: ErrorList,
  path: FieldPath,
  { name = '', namespace = '' }: NonNullable<Unchecked<FlowcontrolV1Subject>['serviceAccount']>,
): void {
  if (requireText(errors, path, 'name', name) && name !== '*') {
    checkFormat(errors, path, 'name', name, dns1123SubdomainErrors);
  }
  const detail = 'must specify namespace for service account';
  if (requireText(errors, path, 'namespace', namespace, detail)) {
    checkFormat(errors, path, 'namespace', namespace, dns1123LabelErrors);
  }
}

function checkWildcard(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  list: readonly string[] | undefined,
  emptyText: string,
  what: string,
): boolean {
  if (isEmpty(list)) errors.required(path, field, emptyText);
  const hasAll = list?.includes('*') === true;
  if (hasAll && list.length > 1) {
    errors.invalid(path, field, list, `if '*' is present, must not specify other ${what}`);
  }
  return hasAll;
}

function checkVerbs(errors: ErrorList, path: FieldPath, list: readonly string[] | undefined): void {
  const emptyText = 'verbs must contain at least one value';
  if (checkWildcard(errors, path, 'verbs', list, emptyText, 'verbs')) return;
  if (list?.some((verb) => !verbs.includes(verb)) !== true) return;
  errors.notSupported(path, 'verbs', list, verbs);
}

function checkResourceRule(
  errors: ErrorList,
  path: FieldPath,
  rule: Unchecked<ResourcePolicyRule>,
): void {
  const atLeast = 'resource rules must supply at least one';
  checkVerbs(errors, path, rule.verbs);
  checkWildcard(errors, path, 'apiGroups', rule.apiGroups, `${atLeast} api group`, 'api groups');
  checkWildcard(errors, path, 'resources', rule.resources, `${atLeast} resource`, 'resources');
  const { namespaces = [] } = rule;
  if (namespaces.length === 0) {
    if (rule.clusterScope === true) return;
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.required(path, 'namespaces', detail);
    return;
  }
  checkWildcard(errors, path, 'namespaces', namespaces, '', 'namespaces');
  namespaces.forEach((namespace, index) => {
    if (namespace === '*') return;
    for (const message of dns1123LabelErrors(namespace)) {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${message}`;
      errors.invalid(path.child('namespaces'), index, namespace, detail);
    }
  });
}

function checkNonResourceRule(
  errors: ErrorList,
  path: FieldPath,
  { verbs: list, nonResourceURLs = [] }: Unchecked<NonResourcePolicyRule>,
): void {
  checkVerbs(errors, path, list);
  const emptyText = 'nonResourceURLs must contain at least one value';
  const what = 'non-resource URLs';
  if (checkWildcard(errors, path, 'nonResourceURLs', nonResourceURLs, emptyText, what)) return;
  nonResourceURLs.forEach((url, index) => {
    const detail = urlError(url);
    if (detail !== '') errors.invalid(path.child('nonResourceURLs'), index, url, detail);
  });
}

function urlError(url: string): string {
  if (url === '') return 'must not be empty';
  if (url === '/') return '';
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  if (url.replace(/\/\*$/, '').includes('*')) return 'wildcard can only do suffix matching';
  return '';
}
