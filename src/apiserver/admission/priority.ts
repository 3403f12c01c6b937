import { resources } from '#client/mod.ts';
import type { Pod, PriorityClass } from '#schema/types.ts';

import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, isResource, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

/** Without a class and without a default class. */
const noClass = { name: undefined, value: 0, preemptionPolicy: 'PreemptLowerPriority' };

/** Computes a pod's priority from its class, and keeps default classes unique. */
export function createPriorityPlugin(options: { reader: ObjectReader }): AdmissionPlugin {
  const { reader } = options;
  const classResource = resources.priorityClasses;
  return {
    name: 'Priority',
    handles: (attributes) =>
      isPod(attributes, 'CREATE', 'UPDATE') ||
      (isResource(attributes, classResource.group, classResource.resource) &&
        (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE')),
    async mutate(attributes) {
      if (attributes.context.resource.resource !== 'pods') return;
      if (attributes.operation === 'UPDATE') keepPriority(attributes);
      else await setPriority(reader, attributes);
    },
    validate(attributes) {
      if (attributes.context.resource.resource === 'pods') return;
      const own = attributes.object as unknown as PriorityClass;
      if (own.globalDefault !== true) return;
      const other = defaultClass(reader);
      if (other === undefined || other.metadata.name === own.metadata.name) return;
      throw refuse(
        attributes,
        `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
      );
    },
  };
}

/** A client that does not know the fields must not wipe them. */
function keepPriority(attributes: AdmissionAttributes): void {
  const { spec } = podOf(attributes);
  const old = (attributes.oldObject as unknown as Pod).spec;
  if (old === undefined) return;
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = old.preemptionPolicy;
  }
}

async function setPriority(reader: ObjectReader, attributes: AdmissionAttributes): Promise<void> {
  const { spec } = podOf(attributes);
  const name = spec.priorityClassName ?? '';
  let found: { name: string | undefined; value: number; preemptionPolicy: string } = noClass;
  let own: PriorityClass | undefined;
  if (name === '') {
    own = defaultClass(reader);
  } else {
    own = await getOrRefresh<PriorityClass>(reader, resources.priorityClasses, '', name);
    if (own === undefined) throw refuse(attributes, `no PriorityClass with name ${name} was found`);
  }
  if (own !== undefined) {
    const preemptionPolicy = own.preemptionPolicy ?? noClass.preemptionPolicy;
    found = { name: own.metadata.name, value: own.value ?? 0, preemptionPolicy };
  }
  const { value, preemptionPolicy } = found;
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  const from = 'from the given PriorityClass name';
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(
      attributes,
      `the integer value of priority (${spec.priority}) ${computed} ${value} ${from}`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refuse(
      attributes,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${preemptionPolicy} ${from}`,
    );
  }
  if (found.name !== undefined) spec.priorityClassName = found.name;
  spec.priority = value;
  spec.preemptionPolicy = preemptionPolicy;
}

/** Of several defaults (a race) the one with the lowest value counts. */
function defaultClass(reader: ObjectReader): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const candidate of reader.list<PriorityClass>(resources.priorityClasses)) {
    if (candidate.globalDefault !== true) continue;
    if (lowest === undefined || (candidate.value ?? 0) < (lowest.value ?? 0)) lowest = candidate;
  }
  return lowest;
}
