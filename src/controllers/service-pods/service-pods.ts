import { objectKey } from '#client/mod.ts';
import type { Informer, InformerHandler } from '#client/mod.ts';
import type { Pod, Service } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { isDeleting, isPodFinished, isPodReady } from '../pods/pod-state.ts';
import { hasPodEndpoints } from './pod-address.ts';

export function selects(service: Service, pod: Pod): boolean {
  if (!hasPodEndpoints(service)) return false;
  const { labels = {} } = pod.metadata;
  const { selector = {} } = service.spec ?? {};
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** The pods that a service selects, by name, so that results are stable. */
export function podsOfService(service: Service, pods: Informer<Pod>): Pod[] {
  return pods
    .listNamespace(service.metadata.namespace ?? '')
    .filter((pod) => selects(service, pod))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** Calls `enqueue` for each service whose endpoints a change of a pod may change. */
export function createServicePodHandler(
  services: Informer<Service>,
  enqueue: (key: string) => void,
): InformerHandler<Pod> {
  const enqueueFor = (...states: readonly Pod[]): void => {
    const [first] = states;
    for (const service of services.listNamespace(first?.metadata.namespace ?? '')) {
      if (states.some((pod) => selects(service, pod))) enqueue(objectKey(service));
    }
  };
  return {
    onAdd: (pod) => enqueueFor(pod),
    onUpdate(old, pod) {
      const isRelabeled = !isSameJson(old.metadata.labels, pod.metadata.labels);
      if (isRelabeled) enqueueFor(old, pod);
      else if (isEndpointChanged(old, pod)) enqueueFor(pod);
    },
    onDelete: (pod) => enqueueFor(pod),
  };
}

/** Whether anything changed that endpoints show. */
function isEndpointChanged(old: Pod, pod: Pod): boolean {
  return (
    isPodReady(old) !== isPodReady(pod) ||
    isDeleting(old) !== isDeleting(pod) ||
    isPodFinished(old) !== isPodFinished(pod) ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    old.spec?.hostname !== pod.spec?.hostname ||
    old.status?.podIP !== pod.status?.podIP ||
    !isSameJson(old.status?.podIPs, pod.status?.podIPs)
  );
}
