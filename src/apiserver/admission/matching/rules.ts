import type { ResourceInfo } from '#schema/mod.ts';
import type { AdmissionOperation } from '../plugin.ts';
import { isNamespace } from './request.ts';

/** A RuleWithOperations as it is stored, with or without names. */
export interface ResourceRule {
  readonly operations?: readonly string[] | undefined;
  readonly apiGroups?: readonly string[] | undefined;
  readonly apiVersions?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly scope?: string | undefined;
}

/** What a rule is held against: everything of a request that does not depend on its object. */
export interface RuleTarget {
  readonly operation: AdmissionOperation;
  readonly resource: ResourceInfo;
  readonly subresource: string;
}

/** Whether a rule is about such requests; names are not looked at. */
export function matchesRule(rule: ResourceRule, target: RuleTarget): boolean {
  const { resource, operation, subresource } = target;
  return (
    matchesScope(rule.scope, resource) &&
    hasOrAll(rule.operations, operation) &&
    hasOrAll(rule.apiGroups, resource.group) &&
    hasOrAll(rule.apiVersions, resource.version) &&
    matchesResource(rule.resources, resource.resource, subresource)
  );
}

function hasOrAll(values: readonly string[] | undefined, wanted: string): boolean {
  return values?.some((value) => value === '*' || value === wanted) ?? false;
}

function matchesScope(scope: string | undefined, resource: ResourceInfo): boolean {
  const isNamespaced = resource.namespaced && !isNamespace(resource);
  if (scope === 'Namespaced') return isNamespaced;
  return scope === 'Cluster' ? !isNamespaced : true;
}

/** `pods`, `pods/*`, `*`, `*\/scale`, `*\/*`; a lone star stands for no subresource. */
function matchesResource(
  patterns: readonly string[] | undefined,
  resource: string,
  subresource: string,
): boolean {
  for (const pattern of patterns ?? []) {
    const slash = pattern.indexOf('/');
    const wantedResource = slash < 0 ? pattern : pattern.slice(0, slash);
    const wantedSubresource = slash < 0 ? '' : pattern.slice(slash + 1);
    const isResource = wantedResource === '*' || wantedResource === resource;
    if (isResource && (wantedSubresource === '*' || wantedSubresource === subresource)) return true;
  }
  return false;
}
