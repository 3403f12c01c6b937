import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { createExpectations, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { EndpointSlice, Node, Pod, Service } from '#schema/types.ts';
import type { ControllerContext, StartController } from '../context.ts';
import { createChangeBatcher } from '../service-pods/change-batcher.ts';
import { addressTypes, hasPodEndpoints } from '../service-pods/pod-address.ts';
import { createServicePodHandler, podsOfService } from '../service-pods/service-pods.ts';
import { desiredEndpoints } from './desired-endpoints.ts';
import {
  hasRightLabels,
  isManaged,
  newSliceMetadata,
  serviceNameLabel,
  withSliceMetadata,
} from './slice-metadata.ts';
import { planSlices } from './slice-plan.ts';
import type { SlicePlan } from './slice-plan.ts';

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
  const triggers = new Map<string, string>();

  const reconcile = async (key: string): Promise<void> => {
    const service = services.get(key);
    if (service === undefined || !hasPodEndpoints(service)) {
      // Slices of a service that is gone are collected through their owner.
      expectations.forget(key);
      triggers.delete(key);
      batcher.forget(key);
      return;
    }
    // Slices that were written and are not seen yet bring the key back when they come.
    if (!expectations.satisfied(key) || service.metadata.deletionTimestamp !== undefined) return;
    const trigger = triggers.get(key);
    triggers.delete(key);
    const selected = podsOfService(service, pods);
    const existing = slices.byIndex(serviceIndex, key);
    const types = addressTypes(service);
    try {
      for (const type of types) {
        const groups = desiredEndpoints(service, selected, type, (name) => nodes.get(name));
        const own = existing.filter((slice) => slice.addressType === type);
        const plan = withLabels(planSlices(own, groups, maxEndpoints), own, service);
        await carryOut({ context, expectations, key, service, type, trigger }, plan);
      }
      const others = existing.filter((slice) => !types.some((type) => type === slice.addressType));
      const plan = { create: [], update: [], remove: others };
      await carryOut({ context, expectations, key, service, type: '', trigger }, plan);
    } catch (error) {
      if (trigger !== undefined) triggers.set(key, trigger);
      if (!hasReason(error, 'Conflict')) {
        const text = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`;
        events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', text);
      }
      throw error;
    }
  };

  const loop = startControllerLoop({
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
  const note = (key: string): void => {
    if (!triggers.has(key)) triggers.set(key, formatTime(clock.now()));
  };
  services.addHandler({
    onAdd(service) {
      note(objectKey(service));
      queue.add(objectKey(service));
    },
    onUpdate(_old, service) {
      note(objectKey(service));
      queue.add(objectKey(service));
    },
    onDelete: (service) => queue.add(objectKey(service)),
  });
  pods.addHandler(
    createServicePodHandler(services, (key) => {
      note(key);
      batcher.enqueue(key);
    }),
  );
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
  // Only the zone of a node matters here.
  nodes.addHandler({
    onUpdate(old, node) {
      const zone = 'topology.kubernetes.io/zone';
      if (old.metadata.labels?.[zone] === node.metadata.labels?.[zone]) return;
      for (const service of services.list()) queue.add(objectKey(service));
    },
  });
  return loop.done;
};

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
