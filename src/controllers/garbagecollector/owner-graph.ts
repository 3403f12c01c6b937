import { parseGroupVersion } from '#schema/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import type { OwnerReference } from '#schema/types.ts';

/** An object that has owners, as far as the collector needs to know it. */
export interface Dependent {
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string | undefined;
  readonly owners: readonly OwnerReference[];
  readonly isDeleting: boolean;
  /** Waits for its own dependents: it has the finalizer foregroundDeletion. */
  readonly isForeground: boolean;
  /** How its own finalizers want it to be deleted, should it be. */
  readonly policy: 'Orphan' | 'Foreground' | 'Background';
}

/**
 * Which objects exist, by uid, and who depends on whom. Of objects without owners only uid and
 * namespace are kept: most of a cluster costs a hundred bytes an object.
 */
export interface OwnerGraph {
  /** Where this uid of the resource was seen: its namespace, or '' for none; undefined when not. */
  namespaceOf(info: ResourceInfo, uid: string): string | undefined;
  dependent(uid: string): Dependent | undefined;
  dependentsOf(ownerUid: string): readonly Dependent[];
  /** Everything that names an owner of this kind; looks at all that have owners. */
  dependentsOnKind(info: ResourceInfo): readonly Dependent[];
  put(info: ResourceInfo, object: KubeObject): Dependent | undefined;
  remove(info: ResourceInfo, uid: string): Dependent | undefined;
  uidsOf(info: ResourceInfo): readonly string[];
}

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

export function createOwnerGraph(): OwnerGraph {
  const existing = new Map<string, Map<string, string>>();
  const dependents = new Map<string, Dependent>();
  const byOwner = new Map<string, Set<string>>();

  /** Namespaces by uid; texts of namespaces are shared, so that they cost nothing. */
  const uidsOf = (info: ResourceInfo): Map<string, string> => {
    let uids = existing.get(info.storagePrefix);
    if (uids === undefined) existing.set(info.storagePrefix, (uids = new Map()));
    return uids;
  };
  const shared = new Map<string, string>();
  const sharedText = (text: string): string => {
    const known = shared.get(text);
    if (known === undefined) shared.set(text, text);
    return known ?? text;
  };
  const unlink = (dependent: Dependent): void => {
    dependents.delete(dependent.uid);
    for (const { uid } of dependent.owners) {
      const uids = byOwner.get(uid);
      if (uids?.delete(dependent.uid) === true && uids.size === 0) byOwner.delete(uid);
    }
  };

  return {
    namespaceOf: (info, uid) => uidsOf(info).get(uid),
    dependent: (uid) => dependents.get(uid),
    dependentsOf: (ownerUid) =>
      [...(byOwner.get(ownerUid) ?? [])].flatMap((uid) => dependents.get(uid) ?? []),
    dependentsOnKind: ({ group, kind }) =>
      [...dependents.values()].filter(({ owners }) =>
        owners.some(
          (owner) => owner.kind === kind && parseGroupVersion(owner.apiVersion).group === group,
        ),
      ),
    put(info, object) {
      const dependent = dependentFrom(info, object);
      uidsOf(info).set(dependent.uid, sharedText(dependent.namespace ?? ''));
      const old = dependents.get(dependent.uid);
      if (old !== undefined) unlink(old);
      if (dependent.owners.length === 0) return undefined;
      dependents.set(dependent.uid, dependent);
      for (const { uid } of dependent.owners) {
        let uids = byOwner.get(uid);
        if (uids === undefined) byOwner.set(uid, (uids = new Set()));
        uids.add(dependent.uid);
      }
      return dependent;
    },
    remove(info, uid) {
      uidsOf(info).delete(uid);
      const old = dependents.get(uid);
      if (old !== undefined) unlink(old);
      return old;
    },
    uidsOf: (info) => [...uidsOf(info).keys()],
  };
}

export function dependentFrom(info: ResourceInfo, object: KubeObject): Dependent {
  const { namespace, name, uid = '', resourceVersion, ownerReferences } = object.metadata;
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  const isDeleting = deletionTimestamp !== undefined;
  return {
    info,
    namespace,
    name,
    uid,
    resourceVersion,
    owners: ownerReferences ?? [],
    isDeleting,
    isForeground: isDeleting && finalizers.includes(foregroundFinalizer),
    policy: finalizers.includes(orphanFinalizer)
      ? 'Orphan'
      : finalizers.includes(foregroundFinalizer)
        ? 'Foreground'
        : 'Background',
  };
}
