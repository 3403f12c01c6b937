import { hasReason } from '#base/api-status-error.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import { dependentFrom, foregroundFinalizer, orphanFinalizer } from './owner-graph.ts';
import type { Dependent, OwnerGraph } from './owner-graph.ts';
import { ownerStates } from './owner-lookup.ts';

export interface Collector {
  /** Deletes the object if its owners are gone, or takes references to gone ones away. */
  collect(item: Dependent): Promise<void>;
  /** Lets an object in foreground deletion go when nothing blocks it any more. */
  finishForeground(info: ResourceInfo, object: KubeObject): Promise<void>;
  /** Frees the dependents of an object that is deleted with the orphan policy, then lets it go. */
  orphanDependents(info: ResourceInfo, object: KubeObject): Promise<void>;
}

export function createCollector(options: {
  client: Client;
  graph: OwnerGraph;
  events: EventRecorder;
  resources: () => readonly ResourceInfo[];
}): Collector {
  const { client, graph } = options;

  /** The object as the server has it, or undefined when this uid is gone. */
  const live = async (item: Dependent): Promise<KubeObject | undefined> => {
    try {
      const object = await client.get(item.info, item.name, { namespace: item.namespace });
      return object.metadata.uid === item.uid ? object : undefined;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  };

  const removeOwners = async (item: Dependent, uids: ReadonlySet<string>): Promise<void> => {
    const ownerReferences = item.owners.filter(({ uid }) => !uids.has(uid));
    const { uid, resourceVersion } = item;
    const body = { metadata: { uid, resourceVersion, ownerReferences } };
    const target = { namespace: item.namespace };
    await ignoreGone(client.patch(item.info, item.name, { type: 'merge', body }, target));
  };

  /** Answers the version of the object that no owner has to wait for. */
  const unblockOwners = async (item: Dependent): Promise<string | undefined> => {
    const ownerReferences = item.owners.map((owner) =>
      owner.blockOwnerDeletion === true ? { ...owner, blockOwnerDeletion: false } : owner,
    );
    const { uid, resourceVersion, namespace, name } = item;
    const body = { metadata: { uid, resourceVersion, ownerReferences } };
    const written = await client.patch(item.info, name, { type: 'merge', body }, { namespace });
    return written.metadata.resourceVersion;
  };

  const collectAs = async (item: Dependent): Promise<void> => {
    const { solid, dangling, waiting } = await ownerStates(options, item);
    if (solid.length > 0) {
      const gone = new Set([...dangling, ...waiting].map(({ uid }) => uid));
      if (gone.size > 0) await removeOwners(item, gone);
      return;
    }
    const dependents = graph.dependentsOf(item.uid);
    const hasDependents = dependents.length > 0;
    let { resourceVersion } = item;
    if (waiting.length > 0 && dependents.some(({ isForeground }) => isForeground)) {
      // Likely a circle, in which each waits for the next: this one holds nobody up any more.
      resourceVersion = await unblockOwners(item);
    }
    const propagationPolicy = waiting.length > 0 && hasDependents ? 'Foreground' : item.policy;
    const { uid, namespace } = item;
    // The version is part of the bargain: an owner that was added meanwhile must save the object.
    const preconditions = { uid, resourceVersion };
    await ignoreGone(
      client.delete(item.info, item.name, { namespace, propagationPolicy, preconditions }),
    );
  };

  const removeFinalizer = async (
    info: ResourceInfo,
    object: KubeObject,
    finalizer: string,
  ): Promise<void> => {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const finalizers = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
    const body = { metadata: { uid, resourceVersion, finalizers } };
    await ignoreGone(client.patch(info, name, { type: 'merge', body }, { namespace }));
  };

  return {
    async collect(item) {
      if (item.isDeleting && !item.isForeground) return;
      // What the graph holds is tried first; only a version that moved on needs another look.
      try {
        await collectAs(item);
      } catch (error) {
        if (!hasReason(error, 'Conflict')) throw error;
        const object = await live(item);
        if (object === undefined) return;
        const current = dependentFrom(item.info, object);
        if (current.owners.length > 0) await collectAs(current);
      }
    },
    async finishForeground(info, object) {
      const uid = object.metadata.uid ?? '';
      const blockers = graph
        .dependentsOf(uid)
        .filter(({ owners }) =>
          owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
        );
      if (blockers.length === 0) await removeFinalizer(info, object, foregroundFinalizer);
    },
    async orphanDependents(info, object) {
      const uid = object.metadata.uid ?? '';
      for (const dependent of graph.dependentsOf(uid)) {
        const current = await live(dependent);
        if (current === undefined) continue;
        await removeOwners(dependentFrom(dependent.info, current), new Set([uid]));
      }
      await removeFinalizer(info, object, orphanFinalizer);
    },
  };
}

async function ignoreGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
