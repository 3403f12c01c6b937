import type { ResourceInfo } from '#schema/mod.ts';
import type { MatchResources } from '#schema/types.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import type { EquivalentResources } from '../matching/equivalents.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import { matchesRule } from '../matching/rules.ts';
import type { ResourceRule } from '../matching/rules.ts';
import { matchesNamespace, matchesObject, requestSelectors } from '../matching/selectors.ts';
import type { RequestSelectors } from '../matching/selectors.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** MatchResources with its selectors compiled. */
export interface CompiledMatch {
  readonly resources: MatchResources;
  readonly selectors: RequestSelectors;
}

export function compileMatch(resources: MatchResources): CompiledMatch {
  return { resources, selectors: requestSelectors(resources) };
}

/** What matching needs beside the request. */
export interface MatchContext {
  readonly reader: ObjectReader;
  readonly equivalents: EquivalentResources;
}

/** The resource of the rules that fit a request, in the version they name; undefined for none. */
export async function matchRequest(
  { resources, selectors }: CompiledMatch,
  attributes: AdmissionAttributes,
  view: AdmissionRequestView,
  context: MatchContext,
): Promise<ResourceInfo | undefined> {
  const { matchPolicy, resourceRules = [], excludeResourceRules = [] } = resources;
  const { equivalents } = context;
  const find = (rules: readonly ResourceRule[]): ResourceInfo | undefined =>
    ruledResource(rules, matchPolicy, attributes, view.name, equivalents);
  if (find(excludeResourceRules) !== undefined) return undefined;
  const found = resourceRules.length === 0 ? view.resource : find(resourceRules);
  if (found === undefined || !matchesObject(selectors.object, attributes)) return undefined;
  const isSelected = await matchesNamespace(selectors.namespace, attributes, context.reader);
  return isSelected ? found : undefined;
}

/** Without a name, rules match whatever names they have. */
export function ruledResource(
  rules: readonly ResourceRule[],
  matchPolicy: string | undefined,
  attributes: AdmissionAttributes,
  name: string | undefined,
  equivalents: EquivalentResources,
): ResourceInfo | undefined {
  const { operation, subresource, context } = attributes;
  const fits = (rule: ResourceRule, resource: ResourceInfo): boolean => {
    if (!matchesRule(rule, { operation, subresource, resource })) return false;
    const names = rule.resourceNames ?? [];
    return name === undefined || names.length === 0 || names.includes(name);
  };
  const { resource } = context;
  if (rules.some((rule) => fits(rule, resource))) return resource;
  if (matchPolicy === 'Exact' || rules.length === 0) return undefined;
  const others = equivalents.of(resource, subresource);
  for (const rule of rules) {
    const other = others.find((one) => fits(rule, one));
    if (other !== undefined) return other;
  }
  return undefined;
}
