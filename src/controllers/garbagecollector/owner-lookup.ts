import { hasReason } from '#base/api-status-error.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { OwnerReference } from '#schema/types.ts';
import { foregroundFinalizer } from './owner-graph.ts';
import type { Dependent, OwnerGraph } from './owner-graph.ts';

/** Owners of an object: there, gone, or there and waiting for the object to go. */
export interface OwnerStates {
  readonly solid: OwnerReference[];
  readonly dangling: OwnerReference[];
  readonly waiting: OwnerReference[];
}

/** Finds the resource of an owner reference among those that exist now. */
export function resourceOfOwner(
  reference: OwnerReference,
  infos: readonly ResourceInfo[],
): ResourceInfo | undefined {
  const { group, version } = parseGroupVersion(reference.apiVersion);
  const ofKind = infos.filter((info) => info.group === group && info.kind === reference.kind);
  return ofKind.find((info) => info.version === version) ?? ofKind[0];
}

/**
 * Sorts the owners of an object by what the server says of each now: only a live read can tell that
 * an owner is gone. Owners of kinds that do not exist count as there, so that nothing is deleted
 * while a custom resource is missing for a moment.
 */
export async function ownerStates(
  context: {
    client: Client;
    graph: OwnerGraph;
    events: EventRecorder;
    resources: () => readonly ResourceInfo[];
  },
  item: Dependent,
): Promise<OwnerStates> {
  const states: OwnerStates = { solid: [], dangling: [], waiting: [] };
  for (const reference of item.owners) {
    const info = resourceOfOwner(reference, context.resources());
    if (info === undefined) {
      states.solid.push(reference);
      continue;
    }
    if (info.namespaced && item.namespace === undefined) {
      // Told when the reference was met, if the owner is known to be in a namespace.
      const isKnown = context.graph.namespaceOf(info, reference.uid) !== undefined;
      if (!isKnown) reportWrongNamespace(context.events, item, reference);
      states.solid.push(reference);
      continue;
    }
    const state = await stateOf(context.client, item, reference, info);
    states[state].push(reference);
  }
  return states;
}

async function stateOf(
  client: Client,
  item: Dependent,
  reference: OwnerReference,
  info: ResourceInfo,
): Promise<keyof OwnerStates> {
  const namespace = info.namespaced ? item.namespace : undefined;
  try {
    const { metadata } = await client.get(info, reference.name, { namespace });
    if (metadata.uid !== reference.uid) return 'dangling';
    const isWaiting =
      metadata.deletionTimestamp !== undefined &&
      metadata.finalizers?.includes(foregroundFinalizer) === true &&
      reference.blockOwnerDeletion === true;
    return isWaiting ? 'waiting' : 'solid';
  } catch (error) {
    if (hasReason(error, 'NotFound')) return 'dangling';
    throw error;
  }
}

/**
 * Tells of an owner that is not in the object's namespace: a namespaced object can own nothing
 * elsewhere, and nothing without a namespace.
 */
export function reportWrongNamespace(
  events: EventRecorder,
  item: Dependent,
  reference: OwnerReference,
): void {
  const { apiVersion, kind, name, uid } = reference;
  const { group, version } = item.info;
  const about = {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind: item.info.kind,
    namespace: item.namespace,
    name: item.name,
    uid: item.uid,
  };
  const { namespace = '' } = item;
  const text = `ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace "${namespace}"`;
  events.event(about, 'Warning', 'OwnerRefInvalidNamespace', text);
}
