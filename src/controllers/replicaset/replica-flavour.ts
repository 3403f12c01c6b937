import { resources } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { ReplicaSet, ReplicationController } from '#schema/types.ts';

/** ReplicaSets and ReplicationControllers do the same; only their selectors have another form. */
export interface ReplicaFlavour {
  readonly controller: string;
  readonly resource: GroupVersionResource;
  readonly kind: string;
  selectorOf(set: ReplicaSet): LabelSelector;
  /** Whether its status has a field for pods on their way out. */
  readonly countsTerminating: boolean;
}

export const replicaSetFlavour: ReplicaFlavour = {
  controller: 'replicaset-controller',
  resource: resources.replicaSets,
  kind: 'ReplicaSet',
  selectorOf: (set) => labelSelectorFrom(set.spec?.selector),
  countsTerminating: true,
};

export const replicationControllerFlavour: ReplicaFlavour = {
  controller: 'replication-controller',
  resource: resources.replicationControllers,
  kind: 'ReplicationController',
  selectorOf(set) {
    // A ReplicationController's selector is a plain map; seen here as the ReplicaSet it is treated as.
    const { spec } = set as unknown as ReplicationController;
    return labelSelectorFrom({ matchLabels: spec?.selector ?? {} });
  },
  countsTerminating: false,
};
