import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { objectKey, resources, splitObjectKey, startControllerLoop } from '#client/mod.ts';
import type { Endpoints, Pod, Service } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isDeleting, isPodReady } from '../pods/pod-state.ts';
import { createChangeBatcher } from '../service-pods/change-batcher.ts';
import {
  addressTypes,
  canBeEndpoint,
  hasPodEndpoints,
  hostnameIn,
  isHeadless,
  podAddress,
  podReference,
} from '../service-pods/pod-address.ts';
import { createServicePodHandler, podsOfService } from '../service-pods/service-pods.ts';
import { podPorts } from '../service-pods/service-ports.ts';
import { repackSubsets } from './repack-subsets.ts';
import type { AddressEntry } from './repack-subsets.ts';

const headlessLabel = 'service.kubernetes.io/headless';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';

/** Writes the core/v1 Endpoints of each service with a selector. */
export const startEndpointsController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const services = informers.informer<Service>(resources.services);
  const pods = informers.informer<Pod>(resources.pods);
  const endpoints = informers.informer<Endpoints>(resources.endpoints);

  const write = async (service: Service): Promise<void> => {
    const wanted = endpointsOf(service, podsOfService(service, pods));
    const live = endpoints.get(objectKey(service));
    const { namespace } = service.metadata;
    if (live === undefined) {
      await client.create<Endpoints>(resources.endpoints, wanted, { namespace });
      return;
    }
    const isSame =
      isSameJson(live.subsets ?? [], wanted.subsets) &&
      isSameJson(live.metadata.labels ?? {}, wanted.metadata.labels);
    if (isSame) return;
    const { labels } = wanted.metadata;
    const metadata = { ...live.metadata, labels };
    const next = { ...wanted, metadata };
    await client.update<Endpoints>(resources.endpoints, next, { namespace });
  };

  const loop = startControllerLoop({
    name: 'endpoint-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([services.synced(signal), pods.synced(signal), endpoints.synced(signal)]),
    async reconcile(key) {
      const service = services.get(key);
      if (service === undefined) {
        batcher.forget(key);
        const { namespace, name } = splitObjectKey(key);
        if (endpoints.get(key) === undefined) return;
        await client.delete(resources.endpoints, name, { namespace }).catch((error: unknown) => {
          if (!hasReason(error, 'NotFound')) throw error;
        });
        return;
      }
      if (!hasPodEndpoints(service)) return;
      try {
        await write(service);
      } catch (error) {
        if (!hasReason(error, 'Conflict') && !hasReason(error, 'AlreadyExists')) {
          const text = `Failed to update endpoint ${key}: ${messageOf(error)}`;
          events.event(service, 'Warning', 'FailedToUpdateEndpoint', text);
        }
        throw error;
      }
    },
  });
  const { queue } = loop;
  const batcher = createChangeBatcher(clock, queue);
  services.addHandler({
    onAdd: (service) => queue.add(objectKey(service)),
    onUpdate: (_old, service) => queue.add(objectKey(service)),
    onDelete: (service) => queue.add(objectKey(service)),
  });
  pods.addHandler(createServicePodHandler(services, (key) => batcher.enqueue(key)));
  // Somebody else's change is put right, and a deleted object made anew.
  endpoints.addHandler({
    onUpdate: (_old, object) => queue.add(objectKey(object)),
    onDelete: (object) => queue.add(objectKey(object)),
  });
  return loop.done;
};

function endpointsOf(service: Service, pods: readonly Pod[]): Endpoints {
  const { name, namespace, labels } = service.metadata;
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const [type = 'IPv4'] = addressTypes(service);
  const entries = pods.flatMap((pod): AddressEntry[] => {
    const ip = podAddress(pod, type);
    if (ip === undefined || !canBeEndpoint(pod)) return [];
    if (isDeleting(pod) && !publishAll) return [];
    const hostname = hostnameIn(pod, service);
    const { nodeName } = pod.spec ?? {};
    const address = {
      ip,
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      targetRef: podReference(pod),
    };
    const ports = podPorts(pod, service.spec?.ports ?? []);
    // Without ports only headless services have something to say: the addresses.
    if (ports.length === 0 && !isHeadless(service)) return [];
    return [{ address, isReady: publishAll || isPodReady(pod), ports }];
  });
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        [managedByLabel]: 'endpoint-controller',
        ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
      },
    },
    subsets: repackSubsets(entries),
  };
}
