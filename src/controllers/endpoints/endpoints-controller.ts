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
  lacksAddress,
  podAddress,
  podReference,
} from '../service-pods/pod-address.ts';
import { createServicePodHandler, podsOfService } from '../service-pods/service-pods.ts';
import { podPorts } from '../service-pods/service-ports.ts';
import { createTriggerTimes } from '../service-pods/trigger-times.ts';
import { truncateSubsets } from './truncate-subsets.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { repackSubsets } from './repack-subsets.ts';
import type { AddressEntry } from './repack-subsets.ts';

const headlessLabel = 'service.kubernetes.io/headless';
const capacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const managedByLabel = 'endpoints.kubernetes.io/managed-by';

/** Writes the core/v1 Endpoints of each service with a selector. */
export const startEndpointsController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const services = informers.informer<Service>(resources.services);
  const pods = informers.informer<Pod>(resources.pods);
  const endpoints = informers.informer<Endpoints>(resources.endpoints);

  const triggers = createTriggerTimes();

  const write = async (service: Service): Promise<void> => {
    const key = objectKey(service);
    const selected = podsOfService(service, pods);
    const trigger = triggers.next(key, service, selected);
    const live = endpoints.get(key);
    const wanted = endpointsOf(service, selected, live, trigger);
    const { namespace } = service.metadata;
    if (live === undefined) {
      await told(wanted, 'FailedToCreateEndpoint', `create endpoint for service ${key}`, () =>
        client.create<Endpoints>(resources.endpoints, wanted, { namespace }),
      );
      return;
    }
    const { annotations } = live.metadata;
    const isSame =
      isSameJson(live.subsets ?? [], wanted.subsets) &&
      isSameJson(live.metadata.labels ?? {}, wanted.metadata.labels) &&
      annotations?.[capacityAnnotation] === wanted.metadata.annotations?.[capacityAnnotation];
    if (isSame) return;
    await told(wanted, 'FailedToUpdateEndpoint', `update endpoint ${key}`, () =>
      client.update<Endpoints>(resources.endpoints, wanted, { namespace }),
    );
  };
  /** Does it, and tells in an event what kept it from being done. */
  const told = async (
    object: Endpoints,
    reason: string,
    what: string,
    act: () => Promise<unknown>,
  ): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const isQuiet =
        hasReason(error, 'Conflict') ||
        hasReason(error, 'AlreadyExists') ||
        isNamespaceTerminating(error);
      if (!isQuiet) {
        events.event(object, 'Warning', reason, `Failed to ${what}: ${messageOf(error)}`);
      }
      throw error;
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
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
        triggers.forget(key);
        const { namespace, name } = splitObjectKey(key);
        if (endpoints.get(key) === undefined) return;
        await client.delete(resources.endpoints, name, { namespace }).catch((error: unknown) => {
          if (!hasReason(error, 'NotFound')) throw error;
        });
        return;
      }
      if (hasPodEndpoints(service)) await write(service);
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
  endpoints.addHandler({ onDelete: (object) => queue.add(objectKey(object)) });
  // Services may have gone while nobody looked; Endpoints that hold a lock never had one.
  void endpoints
    .synced(signal)
    .then(() => {
      for (const object of endpoints.list()) {
        if (object.metadata.annotations?.[leaderAnnotation] !== undefined) continue;
        queue.add(objectKey(object));
      }
    })
    .catch(() => undefined);
  return loop.done;
};

function endpointsOf(
  service: Service,
  pods: readonly Pod[],
  live: Endpoints | undefined,
  trigger: string | undefined,
): Endpoints {
  const { name, namespace } = service.metadata;
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
    const hasPorts = (service.spec?.ports ?? []).length > 0;
    if (hasPorts ? ports.length === 0 : !isHeadless(service)) return [];
    return [{ address, isReady: publishAll || isPodReady(pod), ports }];
  });
  const subsets = repackSubsets(entries);
  const truncated = truncateSubsets(subsets);
  const {
    [capacityAnnotation]: _capacity,
    [triggerAnnotation]: _trigger,
    ...annotations
  } = live?.metadata.annotations ?? {};
  if (truncated !== undefined) annotations[capacityAnnotation] = 'truncated';
  if (trigger !== undefined) annotations[triggerAnnotation] = trigger;
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(live?.metadata ?? { name, namespace }),
      labels: labelsOf(service),
      annotations,
    },
    subsets: truncated ?? subsets,
  };
}

function labelsOf(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [managedByLabel]: 'endpoint-controller',
    ...(lacksAddress(service) ? { [headlessLabel]: '' } : {}),
  };
}
