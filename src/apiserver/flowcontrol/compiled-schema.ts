import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '#schema/types.ts';

import type { RequestInfo, UserInfo } from '../request.ts';

const every = '*';

/** Names that match: everything, or those of a set. */
type Names = ReadonlySet<string> | undefined;

interface CompiledRule {
  readonly users: Names;
  readonly groups: Names;
  /** Namespaces all of whose service accounts match. */
  readonly accountNamespaces: ReadonlySet<string>;
  readonly resourceRules: readonly CompiledResourceRule[];
  readonly pathRules: readonly CompiledPathRule[];
}

interface CompiledResourceRule {
  readonly verbs: Names;
  readonly groups: Names;
  readonly resources: Names;
  readonly isClusterScoped: boolean;
  readonly namespaces: Names;
}

interface CompiledPathRule {
  readonly verbs: Names;
  readonly paths: Names;
  readonly prefixes: readonly string[];
}

/** A FlowSchema in the form that requests are compared with. */
export interface CompiledSchema {
  readonly name: string;
  readonly uid: string;
  readonly precedence: number;
  readonly levelName: string;
  readonly distinguisher: 'ByUser' | 'ByNamespace' | undefined;
  readonly rules: readonly CompiledRule[];
}

export function compileSchema(schema: FlowSchema): CompiledSchema {
  const { metadata, spec } = schema;
  const method = spec?.distinguisherMethod?.type;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    precedence: spec?.matchingPrecedence ?? 1000,
    levelName: spec?.priorityLevelConfiguration.name ?? '',
    distinguisher: method === 'ByUser' || method === 'ByNamespace' ? method : undefined,
    rules: (spec?.rules ?? []).map(compileRule),
  };
}

/** The order in which schemas are tried. */
export function compareSchemas(a: CompiledSchema, b: CompiledSchema): number {
  return a.precedence - b.precedence || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** Whether one of the rules has both a subject and a rule for what is asked. */
export function matchesSchema(
  schema: CompiledSchema,
  user: UserInfo,
  info: Pick<
    RequestInfo,
    'isResourceRequest' | 'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'path'
  >,
): boolean {
  for (const rule of schema.rules) {
    if (!matchesSubject(rule, user)) continue;
    if (info.isResourceRequest) {
      const { subresource } = info;
      const resource = subresource === '' ? info.resource : `${info.resource}/${subresource}`;
      for (const part of rule.resourceRules) {
        if (matchesResource(part, info.verb, info.group, resource, info.namespace)) return true;
      }
      continue;
    }
    for (const part of rule.pathRules) {
      if (matchesPath(part, info.verb, info.path)) return true;
    }
  }
  return false;
}

function matchesSubject(rule: CompiledRule, user: UserInfo): boolean {
  if (rule.users === undefined || rule.users.has(user.name)) return true;
  if (rule.groups === undefined) return true;
  if (rule.groups.size > 0) {
    for (const group of user.groups) if (rule.groups.has(group)) return true;
  }
  if (rule.accountNamespaces.size === 0 || !user.name.startsWith(accountPrefix)) return false;
  const end = user.name.indexOf(':', accountPrefix.length);
  return rule.accountNamespaces.has(user.name.slice(accountPrefix.length, end));
}

function matchesResource(
  rule: CompiledResourceRule,
  verb: string,
  group: string,
  resource: string,
  namespace: string,
): boolean {
  if (rule.verbs !== undefined && !rule.verbs.has(verb)) return false;
  if (rule.groups !== undefined && !rule.groups.has(group)) return false;
  if (rule.resources !== undefined && !rule.resources.has(resource)) return false;
  if (namespace === '') return rule.isClusterScoped;
  return rule.namespaces === undefined || rule.namespaces.has(namespace);
}

function matchesPath(rule: CompiledPathRule, verb: string, path: string): boolean {
  if (rule.verbs !== undefined && !rule.verbs.has(verb)) return false;
  if (rule.paths === undefined || rule.paths.has(path)) return true;
  return rule.prefixes.some((prefix) => path.startsWith(prefix));
}

const accountPrefix = 'system:serviceaccount:';

function compileRule(rule: PolicyRulesWithSubjects): CompiledRule {
  const users: string[] = [];
  const groups: string[] = [];
  const accountNamespaces = new Set<string>();
  for (const subject of rule.subjects) {
    const { user, group, serviceAccount } = subject;
    if (subject.kind === 'User' && user !== undefined) users.push(user.name);
    if (subject.kind === 'Group' && group !== undefined) groups.push(group.name);
    if (subject.kind === 'ServiceAccount' && serviceAccount !== undefined) {
      const { namespace, name } = serviceAccount;
      if (name === every) accountNamespaces.add(namespace);
      else users.push(`${accountPrefix}${namespace}:${name}`);
    }
  }
  return {
    users: namesOf(users),
    groups: namesOf(groups),
    accountNamespaces,
    resourceRules: (rule.resourceRules ?? []).map(compileResourceRule),
    pathRules: (rule.nonResourceRules ?? []).map(compilePathRule),
  };
}

function compileResourceRule(rule: ResourcePolicyRule): CompiledResourceRule {
  return {
    verbs: namesOf(rule.verbs),
    groups: namesOf(rule.apiGroups),
    resources: namesOf(rule.resources),
    isClusterScoped: rule.clusterScope ?? false,
    namespaces: namesOf(rule.namespaces ?? []),
  };
}

function compilePathRule(rule: NonResourcePolicyRule): CompiledPathRule {
  const prefixes = rule.nonResourceURLs
    .filter((path) => path !== every && path.endsWith('*'))
    .map((path) => path.slice(0, -1));
  return { verbs: namesOf(rule.verbs), paths: namesOf(rule.nonResourceURLs), prefixes };
}

function namesOf(names: readonly string[]): Names {
  return names.includes(every) ? undefined : new Set(names);
}
