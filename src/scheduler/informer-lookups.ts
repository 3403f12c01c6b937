import { resources } from '#client/mod.ts';
import type { Informer, InformerFactory } from '#client/mod.ts';
import { createLabelSelector, labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector, Requirement } from '#schema/selectors/mod.ts';
import type {
  Namespace,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  Service,
  StatefulSet,
} from '#schema/types.ts';
import type { ClusterLookups } from './framework/lookups.ts';
import type { Happening } from './framework/happening.ts';
import { createInformerStorage } from './informer-storage.ts';

/** Lookups over the informers that controllers of the same process share. */
export function createInformerLookups(informers: InformerFactory): ClusterLookups {
  const namespaces = informers.informer<Namespace>(resources.namespaces);
  const services = informers.informer<Service>(resources.services);
  const replicationControllers = informers.informer<ReplicationController>(
    resources.replicationControllers,
  );
  const owners: Readonly<Record<string, Informer<ReplicaSet> | Informer<StatefulSet>>> = {
    ReplicaSet: informers.informer<ReplicaSet>(resources.replicaSets),
    StatefulSet: informers.informer<StatefulSet>(resources.statefulSets),
  };
  const budgets = informers.informer<PodDisruptionBudget>(resources.podDisruptionBudgets);

  const listeners = new Set<(happening: Happening) => void>();
  const tell = (happening: Happening): void => {
    for (const listener of listeners) listener(happening);
  };
  const namespaceChanged = (): void => tell({ event: 'Namespace/Update' });
  namespaces.addHandler({ onAdd: namespaceChanged, onUpdate: namespaceChanged });

  const ownerSelector = (pod: Pod): LabelSelector | undefined => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) return undefined;
    const key = `${pod.metadata.namespace ?? ''}/${owner.name}`;
    if (owner.kind === 'ReplicationController') {
      const labels = replicationControllers.get(key)?.spec?.selector;
      return labels === undefined ? undefined : labelSelectorFrom({ matchLabels: labels });
    }
    const selector = owners[owner.kind]?.get(key)?.spec?.selector;
    return selector === undefined ? undefined : labelSelectorFrom(selector);
  };

  return {
    namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
    siblings(pod) {
      const labels: Record<string, string> = {};
      for (const { spec } of services.listNamespace(pod.metadata.namespace ?? '')) {
        const own = Object.entries(spec?.selector ?? {});
        if (own.length === 0) continue;
        if (own.some(([key, value]) => pod.metadata.labels?.[key] !== value)) continue;
        Object.assign(labels, Object.fromEntries(own));
      }
      const requirements: Requirement[] = [
        ...labelSelectorFrom({ matchLabels: labels }).requirements,
        ...(ownerSelector(pod)?.requirements ?? []),
      ];
      return requirements.length === 0 ? undefined : createLabelSelector(requirements);
    },
    disruptionBudgets: (namespace) => budgets.listNamespace(namespace),
    storage: createInformerStorage(informers, tell),
    onEvent: (listener) => void listeners.add(listener),
  };
}
