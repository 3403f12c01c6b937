import { hasReason } from '#base/api-status-error.ts';
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  subtractQuantity,
  zeroQuantity,
} from '#base/quantity.ts';
import { resources } from '#client/mod.ts';
import { amountsOf, matchesScopes, missingAmounts, usageOf } from '#schema/quota/mod.ts';
import type { Amounts } from '#schema/quota/mod.ts';
import type { ResourceQuota } from '#schema/types.ts';

import { getOrRefresh } from '../../authz/object-reader.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { isResource, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';

/** Writes `status.used` of a quota if nobody else changed it; throws Conflict otherwise. */
export interface QuotaWriter {
  updateUsed(quota: ResourceQuota, used: Record<string, string>): Promise<void>;
}

const maxAttempts = 3;
/** Updates of these change what they count for; of all others only creation counts. */
const changing = new Set(['services', 'persistentvolumeclaims']);

/**
 * Refuses what a quota of the namespace has no room for, and books what it lets in before the
 * write, one write of a namespace after the other. What is booked for a write that fails later is
 * given back by the quota controller, as upstream.
 */
export function createResourceQuota(options: {
  reader: ObjectReader;
  writer: QuotaWriter;
}): AdmissionPlugin {
  const queues = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    handles: (attributes) =>
      attributes.namespace !== '' &&
      counts(attributes) &&
      options.reader.list(resources.resourceQuotas, attributes.namespace).length > 0,
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
  if (attributes.operation === 'CREATE') return attributes.subresource === '';
  if (attributes.operation !== 'UPDATE') return false;
  const { group, resource } = attributes.context.resource;
  if (isResource(attributes, '', 'pods', 'resize')) return true;
  return attributes.subresource === '' && group === '' && changing.has(resource);
}

async function book(
  options: { reader: ObjectReader; writer: QuotaWriter },
  attributes: AdmissionAttributes,
): Promise<void> {
  const { reader, writer } = options;
  const delta = deltaOf(attributes);
  const names = reader
    .list<ResourceQuota>(resources.resourceQuotas, attributes.namespace)
    .map((quota) => quota.metadata.name);
  const bookings: [ResourceQuota, Record<string, string>][] = [];
  const decide = (quota: ResourceQuota): Record<string, string> | undefined =>
    usedAfter(attributes, quota, delta);
  for (const name of names) {
    const quota = await getOrRefresh<ResourceQuota>(
      reader,
      resources.resourceQuotas,
      attributes.namespace,
      name,
    );
    const used = quota === undefined ? undefined : decide(quota);
    if (quota !== undefined && used !== undefined) bookings.push([quota, used]);
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

/** What the write adds to the namespace's use: the new object less the old one. */
function deltaOf(attributes: AdmissionAttributes): Amounts {
  const { object, oldObject, context } = attributes;
  const delta = object === undefined ? new Map() : usageOf(context.resource, object);
  if (oldObject === undefined) return delta;
  for (const [name, value] of usageOf(context.resource, oldObject)) {
    delta.set(name, subtractQuantity(delta.get(name) ?? zeroQuantity, value));
  }
  return delta;
}

/** The quota's use with the write let in; undefined when it does not count there. Throws Forbidden. */
function usedAfter(
  attributes: AdmissionAttributes,
  quota: ResourceQuota,
  delta: Amounts,
): Record<string, string> | undefined {
  const { object, context } = attributes;
  const { name } = quota.metadata;
  if (object === undefined || !matchesScopes(quota, context.resource, object)) return undefined;
  const hard = amountsOf(quota.status?.hard ?? quota.spec?.hard);
  const bounded = Object.keys(quota.spec?.hard ?? {});
  if (attributes.operation === 'CREATE' && isResource(attributes, '', 'pods')) {
    const missing = missingAmounts(object, bounded);
    if (missing !== '') throw refuse(attributes, `failed quota: ${name}: must specify ${missing}`);
  }
  const asked = bounded
    .filter((resource) => delta.has(resource) && !isNothing(delta, resource))
    .sort();
  if (asked.length === 0) return undefined;
  const used = amountsOf(quota.status?.used);
  const unknown = asked.filter((resource) => !used.has(resource) || !hard.has(resource));
  if (unknown.length > 0) {
    throw refuse(attributes, `status unknown for quota: ${name}, resources: ${unknown.join(',')}`);
  }
  const next = new Map(used);
  for (const resource of asked) {
    next.set(resource, addQuantity(amount(used, resource), amount(delta, resource)));
  }
  const exceeded = asked.filter(
    (resource) =>
      compareQuantity(amount(delta, resource), zeroQuantity) > 0 &&
      compareQuantity(amount(next, resource), amount(hard, resource)) > 0,
  );
  if (exceeded.length > 0) {
    const show = (amounts: Amounts): string =>
      exceeded.map((key) => `${key}=${formatQuantity(amount(amounts, key))}`).join(',');
    throw refuse(
      attributes,
      `exceeded quota: ${name}, requested: ${show(delta)}, used: ${show(used)}, limited: ${show(hard)}`,
    );
  }
  return Object.fromEntries([...next].map(([key, value]) => [key, formatQuantity(value)]));
}

function isNothing(amounts: Amounts, name: string): boolean {
  return compareQuantity(amount(amounts, name), zeroQuantity) === 0;
}

function amount(amounts: Amounts, name: string) {
  return amounts.get(name) ?? zeroQuantity;
}
