import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Pod, PodDisruptionBudget } from '#schema/types.ts';
import type { Happening } from './happening.ts';
import type { NamespaceLabels } from './pod-affinity.ts';
import { noStorage } from './storage-lookups.ts';
import type { StorageLookups } from './storage-lookups.ts';

/** What plugins ask about objects that are neither pods nor nodes. Synchronous, from informers. */
export interface ClusterLookups {
  readonly namespaceLabels: NamespaceLabels;
  /**
   * The pods that belong together with this one: same Service, ReplicaSet, ReplicationController or
   * StatefulSet. Undefined when it belongs to none.
   */
  siblings(pod: Pod): LabelSelector | undefined;
  disruptionBudgets(namespace: string): readonly PodDisruptionBudget[];
  readonly storage: StorageLookups;
  /** Tells of changes of these objects that may help a waiting pod. */
  onEvent(listener: (happening: Happening) => void): void;
}

/** Knows nothing: for profiles without a cluster around them. */
export const noLookups: ClusterLookups = {
  namespaceLabels: () => undefined,
  siblings: () => undefined,
  disruptionBudgets: () => [],
  storage: noStorage,
  onEvent: () => undefined,
};
