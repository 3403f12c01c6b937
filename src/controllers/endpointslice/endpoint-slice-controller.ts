import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { createExpectations, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Informer } from '#client/mod.ts';
import type { EndpointSlice, Node, Pod, Service } from '#schema/types.ts';
import type { ControllerContext, StartController } from '../context.ts';
import { createTriggerTimes } from '../service-pods/trigger-times.ts';
import { createChangeBatcher } from '../service-pods/change-batcher.ts';
import { addressTypes, hasPodEndpoints } from '../service-pods/pod-address.ts';
import { createServicePodHandler, podsOfService } from '../service-pods/service-pods.ts';
import { desiredEndpoints } from './desired-endpoints.ts';
import { createServiceHints } from './service-hints.ts';
import {
  hasRightLabels,
  isManaged,
  newSliceMetadata,
  serviceNameLabel,
  withSliceMetadata,
} from './slice-metadata.ts';
import { planSlices } from './slice-plan.ts';
import type { SlicePlan } from './slice-plan.ts';
import { wantsZoneHints } from './zone-hints.ts';

/** Upstream's default; the API allows 1000. */
const maxEndpoints = 100;

const serviceIndex = 'service';

/** Writes the EndpointSlices of each service with a selector. */
export const startEndpointSliceController: StartController = (context) => {
  const { informers, clock, log, signal, events } = context;
  const services = informers.informer<Service>(resources.services);
  const pods = informers.informer<Pod>(resources.pods);
  const nodes = informers.informer<Node>(resources.nodes);
  const slices = informers.informer<EndpointSlice>(resources.endpointSlices);
  slices.addIndex(serviceIndex, (slice) => {
    const key = serviceKeyOf(slice);
    return key === undefined ? [] : [key];
  });
  const expectations = createExpectations(clock);
  const triggers = createTriggerTimes();
  const hints = createServiceHints(nodes, events);
  /** Services that leave pods out until their node is known. */
  const waiting = new Set<string>();

  const reconcile = async (key: string): Promise<void> => {
    const service = services.get(key);
    if (service === undefined || !hasPodEndpoints(service)) {
      // Slices of a service that is gone are collected through their owner.
      expectations.forget(key);
      triggers.forget(key);
      hints.forget(key);
      waiting.delete(key);
      batcher.forget(key);
      return;
    }
    // Slices that were written and are not seen yet bring the key back when they come.
    if (!expectations.satisfied(key) || service.metadata.deletionTimestamp !== undefined) return;
    const all = podsOfService(service, pods);
    const trigger = triggers.next(key, service, all);
    const selected = all.filter((pod) => isPlaced(pod, service, nodes));
    if (selected.length < all.length) waiting.add(key);
    else waiting.delete(key);
    const existing = slices
      .byIndex(serviceIndex, key)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const types = addressTypes(service);
    try {
      for (const type of types) {
        const groups = desiredEndpoints(service, selected, type, (name) => nodes.get(name));
        const own = existing.filter((slice) => slice.addressType === type);
        hints.apply(service, type, groups, own);
        const isOwned = (slice: EndpointSlice): boolean => isOwnedBy(slice, service);
        const planned = planSlices(own, groups, maxEndpoints, isOwned);
        const plan = withLabels(planned, own, service);
        await carryOut({ context, expectations, key, service, type, trigger }, plan);
      }
      const others = existing.filter((slice) => !types.some((type) => type === slice.addressType));
      const plan = { create: [], update: [], remove: others };
      await carryOut({ context, expectations, key, service, type: '', trigger }, plan);
    } catch (error) {
      if (!hasReason(error, 'Conflict')) {
        const text = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`;
        events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', text);
      }
      throw error;
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'endpointslice-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([services, pods, nodes, slices].map((informer) => informer.synced(signal))),
    reconcile,
  });
  const { queue } = loop;
  const batcher = createChangeBatcher(clock, queue);
  services.addHandler({
    onAdd: (service) => queue.add(objectKey(service)),
    onUpdate: (_old, service) => queue.add(objectKey(service)),
    onDelete: (service) => queue.add(objectKey(service)),
  });
  pods.addHandler(createServicePodHandler(services, (key) => batcher.enqueue(key)));
  const onSlice = (slice: EndpointSlice): void => {
    const key = serviceKeyOf(slice);
    if (key !== undefined) queue.add(key);
  };
  slices.addHandler({
    onAdd(slice) {
      const key = serviceKeyOf(slice);
      if (key !== undefined) expectations.creationObserved(key);
      onSlice(slice);
    },
    onUpdate(old, slice) {
      onSlice(old);
      onSlice(slice);
    },
    onDelete(slice) {
      const key = serviceKeyOf(slice);
      if (key !== undefined) expectations.deletionObserved(key, slice.metadata.uid ?? '');
      onSlice(slice);
    },
  });
  // Of a node only its zone matters here, and that it is there; for some its size as well.
  nodes.addHandler({
    onAdd() {
      for (const key of waiting) queue.add(key);
    },
    onUpdate(old, node) {
      const isZoneSame = zoneOf(old) === zoneOf(node);
      if (isZoneSame && capacityOf(old) === capacityOf(node)) return;
      for (const service of services.list()) {
        if (!isZoneSame || wantsZoneHints(service)) queue.add(objectKey(service));
      }
    },
  });
  return loop.done;
};

/**
 * A pod that names a node which is not there serves nobody, and may never go; it comes back with
 * its node. Services that publish unready addresses are trusted.
 */
function isPlaced(pod: Pod, service: Service, nodes: Informer<Node>): boolean {
  const { nodeName = '' } = pod.spec ?? {};
  if (nodeName === '' || service.spec?.publishNotReadyAddresses === true) return true;
  return nodes.get(nodeName) !== undefined;
}

function zoneOf({ metadata }: Node): string | undefined {
  return metadata.labels?.['topology.kubernetes.io/zone'];
}

/** What shares of zones are made of. */
function capacityOf({ status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? '';
  return `${ready} ${status?.allocatable?.['cpu'] ?? ''}`;
}

/** Not that of a former service of the same name, which is going away. */
function isOwnedBy(slice: EndpointSlice, service: Service): boolean {
  const { ownerReferences = [] } = slice.metadata;
  return ownerReferences.some(({ uid }) => uid === service.metadata.uid);
}

/** The service that a slice of ours belongs to. */
function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined || !isManaged(slice)
    ? undefined
    : `${slice.metadata.namespace}/${name}`;
}

/** Adds slices whose endpoints are right and whose labels are not. */
function withLabels(
  plan: SlicePlan,
  existing: readonly EndpointSlice[],
  service: Service,
): SlicePlan {
  const touched = new Set([...plan.update, ...plan.remove].map((slice) => slice.metadata.name));
  const wrong = existing.filter(
    (slice) => !touched.has(slice.metadata.name) && !hasRightLabels(slice, service),
  );
  return { ...plan, update: [...plan.update, ...wrong] };
}

async function carryOut(
  target: {
    context: ControllerContext;
    expectations: ReturnType<typeof createExpectations>;
    key: string;
    service: Service;
    type: string;
    trigger: string | undefined;
  },
  plan: SlicePlan,
): Promise<void> {
  const { context, expectations, key, service, type, trigger } = target;
  const { client } = context;
  const { namespace } = service.metadata;
  for (const { ports, endpoints } of plan.create) {
    const slice: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: newSliceMetadata(service, trigger),
      addressType: type,
      endpoints,
      ports,
    };
    expectations.expectCreations(key, 1);
    try {
      await client.create<EndpointSlice>(resources.endpointSlices, slice, { namespace });
    } catch (error) {
      expectations.creationObserved(key);
      throw error;
    }
  }
  for (const slice of plan.update) {
    const next = withSliceMetadata(slice, service, trigger);
    await client.update<EndpointSlice>(resources.endpointSlices, next, { namespace });
  }
  for (const { metadata } of plan.remove) {
    const uid = metadata.uid ?? '';
    expectations.expectDeletions(key, [uid]);
    try {
      await client.delete(resources.endpointSlices, metadata.name, { namespace });
    } catch (error) {
      expectations.deletionObserved(key, uid);
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}
