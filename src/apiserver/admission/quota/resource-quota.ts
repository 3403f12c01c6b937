import { hasReason } from '#base/api-status-error.ts';
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  subtractQuantity,
  zeroQuantity,
} from '#base/quantity.ts';
import { resources } from '#client/mod.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { amountsOf, matchesScopes, missingAmounts, usageOf } from '#schema/quota/mod.ts';
import type { Amounts } from '#schema/quota/mod.ts';
import type { ResourceQuota } from '#schema/types.ts';

import { getOrRefresh } from '../../authz/object-reader.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { isResource, refuse } from '../match.ts';
import { checkCovered, checkScopesCovered } from './limited-resources.ts';
import type { LimitedResource } from './limited-resources.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';

/** Writes `status.used` of a quota if nobody else changed it; throws Conflict otherwise. */
export interface QuotaWriter {
  updateUsed(quota: ResourceQuota, used: Record<string, string>): Promise<void>;
}

const maxAttempts = 3;
/** Updates of these change what they count for; of all others only creation counts. */
const changing = new Set(['services', 'persistentvolumeclaims']);
const eventGroups = new Set(['', 'events.k8s.io']);

/**
 * Refuses what a quota of the namespace has no room for, and books what it lets in before the
 * write, one write of a namespace after the other. What is booked for a write that fails later is
 * given back by the quota controller, as upstream.
 */
export function createResourceQuota(options: {
  reader: ObjectReader;
  writer: QuotaWriter;
  limited?: readonly LimitedResource[] | undefined;
}): AdmissionPlugin {
  const isLimiting = (options.limited ?? []).length > 0;
  const queues = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    handles: (attributes) =>
      attributes.namespace !== '' &&
      counts(attributes) &&
      (isLimiting ||
        options.reader.list(resources.resourceQuotas, attributes.namespace).length > 0),
    async validate(attributes) {
      const { namespace } = attributes;
      const before = queues.get(namespace) ?? Promise.resolve();
      const own = before.then(() => book(options, attributes));
      // The next one waits, whether this one was let in or not.
      const settled = own.then(
        () => undefined,
        () => undefined,
      );
      queues.set(namespace, settled);
      try {
        await own;
      } finally {
        if (queues.get(namespace) === settled) queues.delete(namespace);
      }
    },
  };
}

function counts(attributes: AdmissionAttributes): boolean {
  const asked = attributes.context.resource;
  if (asked.resource === 'events' && eventGroups.has(asked.group)) return false;
  if (attributes.operation === 'CREATE') return attributes.subresource === '';
  if (attributes.operation !== 'UPDATE') return false;
  const { group, resource } = attributes.context.resource;
  if (isResource(attributes, '', 'pods', 'resize')) return true;
  if (isResource(attributes, '', 'persistentvolumeclaims', 'status')) return true;
  return attributes.subresource === '' && group === '' && changing.has(resource);
}

async function book(
  options: {
    reader: ObjectReader;
    writer: QuotaWriter;
    limited?: readonly LimitedResource[] | undefined;
  },
  attributes: AdmissionAttributes,
): Promise<void> {
  const { reader, writer, limited = [] } = options;
  const names = reader
    .list<ResourceQuota>(resources.resourceQuotas, attributes.namespace)
    .map((quota) => quota.metadata.name);
  const quotas: ResourceQuota[] = [];
  for (const name of names) {
    const { namespace } = attributes;
    const quota = await getOrRefresh<ResourceQuota>(
      reader,
      resources.resourceQuotas,
      namespace,
      name,
    );
    if (quota !== undefined) quotas.push(quota);
  }
  const { object } = attributes;
  if (object === undefined) return;
  const matching = quotas.filter((quota) => isPertinent(attributes, quota, object));
  const charges = chargesOf(attributes);
  const chargeIn = (quota: ResourceQuota): Amounts =>
    wasIn(attributes, quota) ? charges.change : charges.whole;
  const isCharged =
    matching.length === 0
      ? charges.change.size > 0
      : matching.some((quota) => chargeIn(quota).size > 0);
  if (!isCharged) return;
  checkCovered(attributes, limited, matching, charges.whole);
  checkScopesCovered(attributes, limited, quotas);
  const bookings: [ResourceQuota, Record<string, string>][] = [];
  const decide = (quota: ResourceQuota): Record<string, string> | undefined =>
    usedAfter(attributes, quota, chargeIn(quota));
  for (const quota of matching) {
    const used = decide(quota);
    if (used !== undefined) bookings.push([quota, used]);
  }
  if (attributes.dryRun) return;
  for (const [quota, used] of bookings) await writeUsed(reader, writer, quota, used, decide);
}

async function writeUsed(
  reader: ObjectReader,
  writer: QuotaWriter,
  first: ResourceQuota,
  firstUsed: Record<string, string>,
  decide: (quota: ResourceQuota) => Record<string, string> | undefined,
): Promise<void> {
  let quota: ResourceQuota | undefined = first;
  let used: Record<string, string> | undefined = firstUsed;
  for (let attempt = 1; quota !== undefined && used !== undefined; attempt++) {
    try {
      await writer.updateUsed(quota, used);
      return;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      if (!hasReason(error, 'Conflict') || attempt === maxAttempts) throw error;
      const { namespace = '', name } = first.metadata;
      const read = reader.getNewest?.bind(reader) ?? reader.get.bind(reader);
      quota = await read<ResourceQuota>(resources.resourceQuotas, namespace, name);
      used = quota === undefined ? undefined : decide(quota);
    }
  }
}

/**
 * What the write adds to the namespace's use: all of the object, and what it counts for beyond the
 * old one. An object that gets smaller gives nothing back here: the write may fail yet.
 */
function chargesOf(attributes: AdmissionAttributes): { whole: Amounts; change: Amounts } {
  const { object, oldObject, context } = attributes;
  const usage: Amounts = object === undefined ? new Map() : usageOf(context.resource, object);
  const negative = [...usage]
    .filter(([, value]) => compareQuantity(value, zeroQuantity) < 0)
    .map(([name]) => name);
  if (negative.length > 0) {
    const shown = negative.sort().join(',');
    throw refuse(attributes, `quota usage is negative for resource(s): ${shown}`);
  }
  const old: Amounts = oldObject === undefined ? new Map() : usageOf(context.resource, oldObject);
  const whole: Amounts = new Map();
  const change: Amounts = new Map();
  for (const [name, value] of usage) {
    if (compareQuantity(value, zeroQuantity) > 0) whole.set(name, value);
    const more = subtractQuantity(value, amount(old, name));
    if (compareQuantity(more, zeroQuantity) > 0) change.set(name, more);
  }
  return { whole, change };
}

/** Whether the quota counts the object already, as it is before the write. */
function wasIn({ oldObject, context }: AdmissionAttributes, quota: ResourceQuota): boolean {
  return oldObject !== undefined && matchesScopes(quota, context.resource, oldObject);
}

/**
 * Whether a quota bounds the object. Throws Forbidden when the object leaves out what it bounds, or
 * its use is not known yet. A quota without a status bounds nothing yet, as upstream.
 */
function isPertinent(
  attributes: AdmissionAttributes,
  quota: ResourceQuota,
  object: UnknownObject,
): boolean {
  const { resource } = attributes.context;
  if (!matchesScopes(quota, resource, object)) return false;
  const { name } = quota.metadata;
  const bounded = Object.keys(quota.status?.hard ?? {});
  if (resource.resource === 'pods' && resource.group === '') {
    const missing = missingAmounts(object, bounded);
    if (missing !== '') throw refuse(attributes, `failed quota: ${name}: must specify ${missing}`);
  }
  const usage = usageOf(resource, object);
  const asked = bounded.filter((one) => usage.has(one)).sort();
  const unknown = asked.filter((one) => quota.status?.used?.[one] === undefined);
  if (unknown.length > 0) {
    throw refuse(attributes, `status unknown for quota: ${name}, resources: ${unknown.join(',')}`);
  }
  return asked.length > 0;
}

/** The quota's use with the write let in; undefined when it does not count there. Throws Forbidden. */
function usedAfter(
  attributes: AdmissionAttributes,
  quota: ResourceQuota,
  charge: Amounts,
): Record<string, string> | undefined {
  const { name } = quota.metadata;
  const hard = amountsOf(quota.status?.hard);
  const asked = [...hard.keys()].filter((resource) => charge.has(resource)).sort();
  if (asked.length === 0) return undefined;
  const used = amountsOf(quota.status?.used);
  const next = new Map(used);
  for (const resource of asked) {
    next.set(resource, addQuantity(amount(used, resource), amount(charge, resource)));
  }
  const exceeded = asked.filter(
    (resource) => compareQuantity(amount(next, resource), amount(hard, resource)) > 0,
  );
  // a status tells what is so: it is booked, not judged
  if (exceeded.length > 0 && attributes.subresource !== 'status') {
    const show = (amounts: Amounts): string =>
      exceeded.map((key) => `${key}=${formatQuantity(amount(amounts, key))}`).join(',');
    throw refuse(
      attributes,
      `exceeded quota: ${name}, requested: ${show(charge)}, used: ${show(used)}, limited: ${show(hard)}`,
    );
  }
  return Object.fromEntries([...next].map(([key, value]) => [key, formatQuantity(value)]));
}

function amount(amounts: Amounts, name: string) {
  return amounts.get(name) ?? zeroQuantity;
}
