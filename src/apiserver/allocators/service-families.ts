import { tryParseIp } from '#base/cidr.ts';
import type { FieldError } from '#schema/mod.ts';
import type { Service, ServiceSpec } from '#schema/types.ts';

import { invalid } from '../api-errors.ts';

export type Family = 'IPv4' | 'IPv6';
type Spec = ServiceSpec;

const kind = { group: '', kind: 'Service' };

/** Families that the cluster has service ranges for, the first is the default. */
export type ConfiguredFamilies = readonly Family[];

export function isHeadless(spec: Spec): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

/**
 * Fills in ipFamilyPolicy and ipFamilies of a service before its addresses are chosen, by the rules
 * of upstream: from the old object, from addresses given, from what the cluster has. Changes the
 * service in place; throws Invalid when what is asked cannot be.
 */
export function fillFamilies(
  service: Service,
  old: Service | undefined,
  configured: ConfiguredFamilies,
): void {
  const spec = (service.spec ??= {});
  if (spec.type === 'ExternalName' || isUnchangedPreferDual(spec, old?.spec)) return;
  spec.ipFamilyPolicy ??= old?.spec?.ipFamilyPolicy ?? defaultPolicy(spec);
  const errors = [
    ...shapeErrors(spec),
    ...(old?.spec === undefined ? [] : reductionErrors(spec, old.spec)),
  ];
  // After shrinkTo: a change to SingleStack is what takes the second family away.
  if (spec.ipFamilyPolicy === 'SingleStack') errors.push(...singleStackErrors(spec));
  errors.push(...inferFamilies(spec, configured));
  throwIfAny(service, errors);
  if (isHeadless(spec) && isEmpty(spec.selector)) {
    fillHeadless(spec, configured);
    return;
  }
  throwIfAny(service, unavailable(spec, configured));
  const families = spec.ipFamilies ?? [];
  spec.ipFamilies = families.length === 0 ? configured.slice(0, 1) : families;
  const wantsBoth = spec.ipFamilyPolicy !== 'SingleStack' && configured.length === 2;
  if (wantsBoth && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, otherFamily(spec.ipFamilies[0] as Family)];
  }
}

function defaultPolicy(spec: Spec): string {
  return isHeadless(spec) && isEmpty(spec.selector) ? 'RequireDualStack' : 'SingleStack';
}

/** A PreferDualStack service is not upgraded or downgraded by an update that says nothing of it. */
export function isUnchangedPreferDual(spec: Spec, old: Spec | undefined): boolean {
  if (old === undefined || spec.type === 'ExternalName' || old.type === 'ExternalName')
    return false;
  return (
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    old.ipFamilyPolicy === 'PreferDualStack' &&
    sameList(spec.clusterIPs, old.clusterIPs) &&
    sameList(spec.ipFamilies, old.ipFamilies)
  );
}

function shapeErrors(spec: Spec): FieldError[] {
  return (spec.clusterIPs ?? []).flatMap((address, index): FieldError[] => {
    if (address === 'None' || address === '' || tryParseIp(address) !== undefined) return [];
    const message = `Invalid value: ${JSON.stringify(address)}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`;
    return [{ type: 'FieldValueInvalid', field: `spec.clusterIPs[${index}]`, message }];
  });
}

/** Also takes the second address and family off a service that was changed to SingleStack. */
function reductionErrors(spec: Spec, old: Spec): FieldError[] {
  const addresses = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (sameList(spec.clusterIPs, old.clusterIPs) && addresses.length > 1) {
      spec.clusterIPs = addresses.slice(0, 1);
    }
    if (sameList(spec.ipFamilies, old.ipFamilies) && families.length > 1) {
      spec.ipFamilies = families.slice(0, 1);
    }
    return [];
  }
  const errors: FieldError[] = [];
  const isReduced = (now: readonly string[], before: readonly string[] | undefined): boolean =>
    now.length === 1 && before?.length === 2 && before[0] === now[0];
  if (isReduced(addresses, old.clusterIPs)) {
    errors.push(policyError(spec, "must be 'SingleStack' to release the secondary cluster IP"));
  }
  if (isReduced(families, old.ipFamilies)) {
    errors.push(policyError(spec, "must be 'SingleStack' to release the secondary IP family"));
  }
  return errors;
}

function singleStackErrors(spec: Spec): FieldError[] {
  const need = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  return [
    ...(spec.clusterIPs?.length === 2
      ? [policyError(spec, `${need} cluster IPs are specified`)]
      : []),
    ...(spec.ipFamilies?.length === 2
      ? [policyError(spec, `${need} IP families are specified`)]
      : []),
  ];
}

/** Families that follow from the addresses that the user gave. */
function inferFamilies(spec: Spec, configured: ConfiguredFamilies): FieldError[] {
  const errors: FieldError[] = [];
  const families = [...(spec.ipFamilies ?? [])];
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === 'None') break;
    const parsed = tryParseIp(address);
    if (index < families.length || parsed === undefined) continue;
    const family = parsed.family === 4 ? 'IPv4' : 'IPv6';
    if (configured.includes(family)) {
      families.push(family);
      continue;
    }
    errors.push({
      type: 'FieldValueInvalid',
      field: `spec.clusterIPs[${index}]`,
      message: `Invalid value: ${JSON.stringify(spec.clusterIPs)}: ${family} is not configured on this cluster`,
    });
  }
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}

/** Without a selector nobody knows the endpoints' families, so both are allowed everywhere. */
function fillHeadless(spec: Spec, configured: ConfiguredFamilies): void {
  const families = spec.ipFamilies ?? [];
  spec.ipFamilies = families.length === 0 ? configured.slice(0, 1) : families;
  if (spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, otherFamily(spec.ipFamilies[0] as Family)];
  }
}

function unavailable(spec: Spec, configured: ConfiguredFamilies): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2) {
    errors.push(policyError(spec, 'this cluster is not configured for dual-stack services'));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (configured.includes(family as Family)) continue;
    errors.push({
      type: 'FieldValueInvalid',
      field: `spec.ipFamilies[${index}]`,
      message: `Invalid value: ${JSON.stringify(family)}: not configured on this cluster`,
    });
  }
  return errors;
}

function policyError(spec: Spec, detail: string): FieldError {
  return {
    type: 'FieldValueInvalid',
    field: 'spec.ipFamilyPolicy',
    message: `Invalid value: ${JSON.stringify(spec.ipFamilyPolicy)}: ${detail}`,
  };
}

function throwIfAny(service: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(kind, service.metadata.name, errors);
}

function otherFamily(family: Family): Family {
  return family === 'IPv4' ? 'IPv6' : 'IPv4';
}

function isEmpty(selector: Readonly<Record<string, string>> | undefined): boolean {
  return Object.keys(selector ?? {}).length === 0;
}

export function sameList(
  left: readonly string[] | undefined,
  right: readonly string[] | undefined,
): boolean {
  const [own = [], other = []] = [left, right];
  return own.length === other.length && own.every((entry, index) => entry === other[index]);
}
