import { K3tsError, messageOf } from '#base/errors.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { dns1123SubdomainErrors } from '#schema/validation/mod.ts';
import type { RequestInfo, UserInfo } from '../request.ts';

/** How much of a request is told, from nothing to both bodies. */
export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];

export const auditStages = [
  'RequestReceived',
  'ResponseStarted',
  'ResponseComplete',
  'Panic',
] as const;
export type AuditStage = (typeof auditStages)[number];

/** What the policy says of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

export interface AuditPolicy {
  decide(user: UserInfo, info: RequestInfo): AuditDecision;
}

interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

interface Rule extends AuditDecision {
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

const none: AuditDecision = { level: 'None', omitStages: new Set(), omitManagedFields: false };

/**
 * Reads a Policy of audit.k8s.io/v1. Throws K3tsError `BadAuditPolicy` with upstream's texts that
 * name the file.
 */
export function parseAuditPolicy(text: string, file: string): AuditPolicy {
  const fail = (why: string): K3tsError => new K3tsError('BadAuditPolicy', why);
  let document: unknown;
  try {
    document = yamlLibrary().parse(text);
  } catch (error) {
    throw fail(`failed decoding: ${messageOf(error)}: from file ${file}`);
  }
  const policy = fields(document);
  if (policy['kind'] !== 'Policy' || policy['apiVersion'] !== 'audit.k8s.io/v1') {
    const kind = JSON.stringify(String(policy['kind'] ?? ''));
    const version = JSON.stringify(String(policy['apiVersion'] ?? ''));
    throw fail(
      `failed decoding: no kind ${kind} is registered for version ${version}: from file ${file}`,
    );
  }
  const rules = list(policy['rules']);
  if (rules.length === 0) throw fail(`loaded illegal policy with 0 rules: from file ${file}`);
  const problems: string[] = [];
  const omitStages = stages(policy['omitStages'], 'omitStages', problems);
  const omitManagedFields = policy['omitManagedFields'] === true;
  const compiled = rules.map((rule, i) =>
    readRule(fields(rule), `rules[${i}]`, { omitStages, omitManagedFields }, problems),
  );
  if (problems.length > 0) {
    const shown = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
    throw fail(`${String(shown)}: from file ${file}`);
  }
  return {
    decide(user, info) {
      return compiled.find((rule) => matches(rule, user, info)) ?? none;
    },
  };
}

function readRule(
  rule: Record<string, unknown>,
  path: string,
  common: { omitStages: ReadonlySet<AuditStage>; omitManagedFields: boolean },
  problems: string[],
): Rule {
  const level = rule['level'];
  if (!isLevel(level)) {
    problems.push(
      level === undefined || level === ''
        ? `${path}.level: Required value`
        : `${path}.level: ${unsupported(level, auditLevels)}`,
    );
  }
  const resources = list(rule['resources']).map((entry) => groupResources(fields(entry)));
  const namespaces = texts(rule['namespaces']);
  const nonResourceURLs = texts(rule['nonResourceURLs']);
  nonResourceURLs.forEach((url, i) => checkUrl(url, `${path}.nonResourceURLs[${i}]`, problems));
  for (const { group, resources: names, resourceNames } of resources) {
    const why = group === '' ? [] : dns1123SubdomainErrors(group);
    if (why.length > 0) {
      problems.push(
        `${path}.resources.group: Invalid value: ${JSON.stringify(group)}: ${why.join(',')}`,
      );
    }
    if (resourceNames.length > 0 && names.length === 0) {
      problems.push(
        `${path}.resources.resourceNames: Invalid value: ${JSON.stringify(resourceNames)}: using resourceNames requires at least one resource`,
      );
    }
  }
  const own = stages(rule['omitStages'], `${path}.omitStages`, problems);
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    problems.push(
      `${path}.nonResourceURLs: Invalid value: ${JSON.stringify(nonResourceURLs)}: rules cannot apply to both regular resources and non-resource URLs`,
    );
  }
  const omit = rule['omitManagedFields'];
  return {
    level: isLevel(level) ? level : 'None',
    omitStages: new Set([...common.omitStages, ...own]),
    omitManagedFields: typeof omit === 'boolean' ? omit : common.omitManagedFields,
    users: texts(rule['users']),
    userGroups: texts(rule['userGroups']),
    verbs: texts(rule['verbs']),
    resources,
    namespaces,
    nonResourceURLs,
  };
}

function checkUrl(url: string, path: string, problems: string[]): void {
  const invalid = (why: string): void => {
    problems.push(`${path}: Invalid value: ${JSON.stringify(url)}: ${why}`);
  };
  if (url === '*') return;
  if (!url.startsWith('/')) {
    invalid("non-resource URL rules must begin with a '/' character");
  }
  if (url.slice(0, -1).includes('*')) {
    invalid("non-resource URL wildcards '*' must be the final character of the rule");
  }
}

function matches(rule: Rule, user: UserInfo, info: RequestInfo): boolean {
  if (rule.users.length > 0 && !rule.users.includes(user.name)) return false;
  if (rule.userGroups.length > 0 && !user.groups.some((name) => rule.userGroups.includes(name))) {
    return false;
  }
  if (rule.verbs.length > 0 && !rule.verbs.includes(info.verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) return matchesResource(rule, info);
  if (rule.nonResourceURLs.length === 0) return true;
  if (info.isResourceRequest) return false;
  return rule.nonResourceURLs.some((url) =>
    url.endsWith('*') ? info.path.startsWith(url.slice(0, -1)) : url === info.path,
  );
}

function matchesResource(rule: Rule, info: RequestInfo): boolean {
  if (!info.isResourceRequest) return false;
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(info.namespace)) return false;
  if (rule.resources.length === 0) return true;
  const { resource, subresource, name } = info;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return rule.resources.some(({ group, resources, resourceNames }) => {
    if (group !== info.group) return false;
    if (resources.length === 0) return true;
    if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
    return resources.some(
      (wanted) =>
        wanted === combined ||
        wanted === '*' ||
        (subresource !== '' && wanted === `*/${subresource}`) ||
        wanted === `${resource}/*`,
    );
  });
}

function groupResources(entry: Record<string, unknown>): GroupResources {
  return {
    group: typeof entry['group'] === 'string' ? entry['group'] : '',
    resources: texts(entry['resources']),
    resourceNames: texts(entry['resourceNames']),
  };
}

function stages(value: unknown, path: string, problems: string[]): ReadonlySet<AuditStage> {
  const found = new Set<AuditStage>();
  texts(value).forEach((name, i) => {
    const stage = auditStages.find((known) => known === name);
    if (stage === undefined) {
      problems.push(
        `${path}[${i}]: Invalid value: ${JSON.stringify(name)}: allowed stages are ${auditStages.join(',')}`,
      );
    } else found.add(stage);
  });
  return found;
}

function isLevel(value: unknown): value is AuditLevel {
  return auditLevels.some((level) => level === value);
}

function unsupported(value: unknown, known: readonly string[]): string {
  const names = known.map((name) => JSON.stringify(name)).join(', ');
  return `Unsupported value: ${JSON.stringify(value)}: supported values: ${names}`;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): readonly string[] {
  return list(value).map(String);
}
