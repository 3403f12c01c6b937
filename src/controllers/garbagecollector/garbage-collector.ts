import { startControllerLoop } from '#client/mod.ts';
import { hasReason } from '#base/api-status-error.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import type { StartController } from '../context.ts';
import { createCollector } from './collect.ts';
import { createOwnerGraph, foregroundFinalizer, orphanFinalizer } from './owner-graph.ts';
import type { Dependent } from './owner-graph.ts';
import { reportWrongNamespace, resourceOfOwner } from './owner-lookup.ts';
import { followAllResources } from './resource-monitors.ts';

/** An object that is being deleted and that has a finalizer of ours. */
interface Leaving {
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Deletes what depends on deleted objects, in the order that the deletion asked for. */
export const startGarbageCollector: StartController = (context) => {
  const { client, clock, log, signal, events, options } = context;
  const graph = createOwnerGraph();
  const collector = createCollector({ client, graph, events, resources: options.resources });
  const leaving = new Map<string, Leaving>();
  let isSynced = false;

  const handleLeaving = async (uid: string, { info, namespace, name }: Leaving): Promise<void> => {
    let object: KubeObject;
    try {
      object = await client.get(info, name, { namespace });
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      throw error;
    }
    if (object.metadata.uid !== uid) return;
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(orphanFinalizer)) await collector.orphanDependents(info, object);
    else if (finalizers.includes(foregroundFinalizer)) {
      await collector.finishForeground(info, object);
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'garbage-collector-controller',
    clock,
    log,
    signal,
    workers: 20,
    // After the first lists: before them, owners only seem to be missing.
    ready: Promise.resolve().then(() => monitors.synced),
    async reconcile(uid) {
      const leavingObject = leaving.get(uid);
      if (leavingObject !== undefined) await handleLeaving(uid, leavingObject);
      const item = graph.dependent(uid);
      // Owners that were only listed later are no reason to ask the server.
      if (item !== undefined && needsCollection(item)) await collector.collect(item);
    },
  });
  const { queue } = loop;

  /** Not seen, or seen in another namespace, where it is no owner. */
  const hasUnseenOwner = (item: Dependent): boolean => {
    const infos = options.resources();
    return item.owners.some((reference) => {
      const info = resourceOfOwner(reference, infos);
      if (info === undefined) return false;
      const namespace = graph.namespaceOf(info, reference.uid);
      return namespace === undefined || isElsewhere(info, item, namespace);
    });
  };
  /** Tells of owners that are known to live in another namespace. */
  const reportForeignOwners = (item: Dependent): void => {
    const infos = options.resources();
    for (const reference of item.owners) {
      const info = resourceOfOwner(reference, infos);
      const namespace = info === undefined ? undefined : graph.namespaceOf(info, reference.uid);
      if (info === undefined || namespace === undefined) continue;
      if (isElsewhere(info, item, namespace)) reportWrongNamespace(events, item, reference);
    }
  };
  const isOwnerLeaving = (item: Dependent): boolean =>
    item.owners.some(({ uid }) => leaving.has(uid));
  const needsCollection = (item: Dependent): boolean =>
    isOwnerLeaving(item) || hasUnseenOwner(item);
  const enqueueDependents = (ownerUid: string): void => {
    for (const { uid } of graph.dependentsOf(ownerUid)) queue.add(uid);
  };
  const noteLeaving = (info: ResourceInfo, object: KubeObject): void => {
    const { uid = '', namespace, name, deletionTimestamp, finalizers = [] } = object.metadata;
    const isForeground = finalizers.includes(foregroundFinalizer);
    const isOurs = isForeground || finalizers.includes(orphanFinalizer);
    if (deletionTimestamp === undefined || !isOurs) {
      leaving.delete(uid);
      return;
    }
    leaving.set(uid, { info, namespace, name });
    queue.add(uid);
    if (isForeground) enqueueDependents(uid);
  };
  /** An owner in foreground deletion looks again when a dependent leaves it. */
  const enqueueLeavingOwners = (item: Dependent | undefined): void => {
    for (const { uid } of item?.owners ?? []) if (leaving.has(uid)) queue.add(uid);
  };
  const onChange = (info: ResourceInfo, object: KubeObject): void => {
    const old = graph.dependent(object.metadata.uid ?? '');
    const item = graph.put(info, object);
    noteLeaving(info, object);
    if (old !== undefined && old.owners !== item?.owners) enqueueLeavingOwners(old);
    if (item === undefined) return;
    // A dependent that comes after its owner began to leave is told at once.
    const isNew = isNewOwner(old, item);
    if (isNew) reportForeignOwners(item);
    if (isOwnerLeaving(item) || (isNew && hasUnseenOwner(item))) queue.add(item.uid);
  };
  const forget = (info: ResourceInfo, uid: string): void => {
    leaving.delete(uid);
    const item = graph.remove(info, uid);
    enqueueLeavingOwners(item);
    enqueueDependents(uid);
  };

  const monitors = followAllResources({
    client,
    clock,
    random: context.random,
    log,
    signal,
    resources: options.resources,
    onResourcesChange: options.onResourcesChange,
    events: {
      onList(info, items) {
        const listed = new Set(items.map((item) => item.metadata.uid ?? ''));
        for (const uid of graph.uidsOf(info)) if (!listed.has(uid)) forget(info, uid);
        for (const item of items) onChange(info, item);
        if (!isSynced) return;
        // A kind that was not known until now: what named owners of it was left alone.
        for (const item of graph.dependentsOnKind(info)) {
          if (hasUnseenOwner(item)) queue.add(item.uid);
        }
      },
      onChange,
      onDelete: (info, object) => forget(info, object.metadata.uid ?? ''),
    },
  });
  void monitors.synced.then(() => (isSynced = true));
  return Promise.all([loop.done, monitors.done]).then(() => undefined);
};

/** A namespaced owner counts in its own namespace only; one without a namespace counts anywhere. */
function isElsewhere(owner: ResourceInfo, item: Dependent, namespace: string): boolean {
  return owner.namespaced && namespace !== (item.namespace ?? '');
}

/** Whether the object names an owner that it did not name before. */
function isNewOwner(old: Dependent | undefined, item: Dependent): boolean {
  if (old === undefined) return true;
  return item.owners.some(({ uid }) => !old.owners.some((owner) => owner.uid === uid));
}
