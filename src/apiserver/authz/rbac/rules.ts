import type { PolicyRule } from '#schema/types.ts';

import type { AuthorizationRequest, ResourceAttributes } from '../authorizer.ts';

/** A PolicyRule with sets to look up; an absent set stands for the wildcard. */
interface CompiledRule {
  readonly verbs: ReadonlySet<string> | undefined;
  readonly groups: ReadonlySet<string> | undefined;
  readonly resources: ReadonlySet<string> | undefined;
  readonly names: ReadonlySet<string> | undefined;
  readonly urls: ReadonlySet<string> | undefined;
  readonly urlPrefixes: readonly string[];
}

/** Rules prepared once, when a role changes, so that a request only looks up. */
export interface CompiledRules {
  readonly source: readonly PolicyRule[];
  readonly compiled: readonly CompiledRule[];
}

export function compileRules(source: readonly PolicyRule[]): CompiledRules {
  return { source, compiled: source.map(compileRule) };
}

function compileRule(rule: PolicyRule): CompiledRule {
  const names = rule.resourceNames ?? [];
  const urls = rule.nonResourceURLs ?? [];
  return {
    verbs: setOrAll(rule.verbs),
    groups: setOrAll(rule.apiGroups),
    resources: setOrAll(rule.resources),
    names: names.length === 0 ? undefined : new Set(names),
    urls: setOrAll(urls),
    urlPrefixes: urls.filter((url) => url.endsWith('*')).map((url) => url.replace(/\*+$/, '')),
  };
}

function setOrAll(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (values?.includes('*') === true) return undefined;
  return new Set(values);
}

/** Whether one of the rules covers the request: upstream's RuleAllows. */
export function rulesAllow(rules: CompiledRules, request: AuthorizationRequest): boolean {
  const { resource } = request;
  for (const rule of rules.compiled) {
    if (resource === undefined) {
      if (has(rule.verbs, request.verb) && allowsUrl(rule, request.path)) return true;
    } else if (has(rule.verbs, resource.verb) && allowsResource(rule, resource)) {
      return true;
    }
  }
  return false;
}

function has(set: ReadonlySet<string> | undefined, value: string): boolean {
  return set === undefined || set.has(value);
}

function allowsResource(rule: CompiledRule, asked: ResourceAttributes): boolean {
  if (!has(rule.groups, asked.group)) return false;
  if (rule.names !== undefined && !rule.names.has(asked.name)) return false;
  if (rule.resources === undefined) return true;
  if (asked.subresource === '') return rule.resources.has(asked.resource);
  return (
    rule.resources.has(`${asked.resource}/${asked.subresource}`) ||
    rule.resources.has(`*/${asked.subresource}`)
  );
}

function allowsUrl(rule: CompiledRule, path: string): boolean {
  if (rule.urls === undefined || rule.urls.has(path)) return true;
  return rule.urlPrefixes.some((prefix) => path.startsWith(prefix));
}
