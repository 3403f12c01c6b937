import { compareQuantity, zeroQuantity } from '#base/quantity.ts';
import { matchesScope, scopesOf } from '#schema/quota/mod.ts';
import type { Amounts } from '#schema/quota/mod.ts';
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '#schema/types.ts';

import { plainError } from '../../api-errors.ts';
import { refuse } from '../match.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** What may only be used where a quota covers it: a rule of ResourceQuotaConfiguration. */
export interface LimitedResource {
  readonly apiGroup: string;
  readonly resource: string;
  /** Parts of names of resources: `requests.storage`, `.storageclass.storage.k8s.io/`. */
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly ScopedResourceSelectorRequirement[];
}

/** Refuses what is limited by the configuration and covered by none of the quotas. */
export function checkCovered(
  attributes: AdmissionAttributes,
  limited: readonly LimitedResource[],
  quotas: readonly ResourceQuota[],
  usage: Amounts,
): void {
  const { object } = attributes;
  const { group, resource } = attributes.context.resource;
  if (object === undefined) return;
  const own = limited.filter((rule) => rule.apiGroup === group && rule.resource === resource);
  const names = [...usage]
    .filter(([, value]) => compareQuantity(value, zeroQuantity) !== 0)
    .map(([name]) => name)
    .filter((name) => own.some((rule) => rule.matchContains.some((part) => name.includes(part))));
  const covered = new Set(quotas.flatMap((quota) => Object.keys(quota.status?.hard ?? {})));
  const uncovered = names.filter((name) => !covered.has(name)).sort();
  if (uncovered.length > 0) {
    throw refuse(attributes, `insufficient quota to consume: ${uncovered.join(',')}`);
  }
}

/** The same for scopes; `all` are the quotas of the namespace whether they match or not. */
export function checkScopesCovered(
  attributes: AdmissionAttributes,
  limited: readonly LimitedResource[],
  all: readonly ResourceQuota[],
): void {
  const { object } = attributes;
  const { resource } = attributes.context;
  if (object === undefined) return;
  const matching = (
    scopes: readonly ScopedResourceSelectorRequirement[],
  ): ScopedResourceSelectorRequirement[] =>
    scopes.filter((scope) => matchesScope(scope, resource, object));
  const needed = matching(limited.flatMap(({ matchScopes }) => matchScopes));
  const covered = new Set(
    all
      .flatMap(scopesOf)
      .filter((scope) => matching([scope]).length > 0)
      .map(({ scopeName }) => scopeName),
  );
  const uncovered = needed.filter(({ scopeName }) => !covered.has(scopeName));
  if (uncovered.length === 0) return;
  // upstream's error is no refusal, and shows the scopes as Go prints them
  const shown = uncovered.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`,
  );
  throw plainError(`insufficient quota to match these scopes: [${shown.join(' ')}]`);
}
