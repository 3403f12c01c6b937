import { hasReason } from '#base/api-status-error.ts';
import {
  controllerReference,
  createExpectations,
  objectKey,
  resources,
  startControllerLoop,
} from '#client/mod.ts';
import type { Endpoints, EndpointSlice, Service } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { planSlices } from '../endpointslice/slice-plan.ts';
import type { SlicePlan } from '../endpointslice/slice-plan.ts';
import { managedByLabel, serviceNameLabel } from '../endpointslice/slice-metadata.ts';
import { isSameJson } from '../json-equality.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { mirroredEndpoints } from './mirrored-endpoints.ts';

const managerName = 'endpointslicemirroring-controller.k8s.io';
/** As upstream: one slice for each subset. */
const maxEndpoints = 1000;
const serviceIndex = 'mirrored-service';

/** Annotations of Endpoints that say nothing about a slice. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);

function keyOf(slice: EndpointSlice): string | undefined {
  const { labels, namespace } = slice.metadata;
  const name = labels?.[serviceNameLabel];
  if (name === undefined || labels?.[managedByLabel] !== managerName) return undefined;
  return `${namespace}/${name}`;
}

/** Hand-written ones of a service without a selector, unless they ask not to be copied. */
function isMirrored(endpoints: Endpoints, service: Service | undefined): boolean {
  const { labels, annotations } = endpoints.metadata;
  if (labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true') return false;
  if (annotations?.['control-plane.alpha.kubernetes.io/leader'] !== undefined) return false;
  const { selector } = service?.spec ?? {};
  return service !== undefined && (selector === undefined || Object.keys(selector).length === 0);
}

function metadataOf(endpoints: Endpoints): EndpointSlice['metadata'] {
  const { name, namespace, labels, annotations = {} } = endpoints.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !ownAnnotations.has(key));
  return {
    name: '',
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: managerName },
    ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    ownerReferences: [controllerReference(endpoints)],
  };
}

/** Keeps EndpointSlices that say what hand-written Endpoints say. */
export const startEndpointSliceMirroring: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const services = informers.informer<Service>(resources.services);
  const all = informers.informer<Endpoints>(resources.endpoints);
  const slices = informers.informer<EndpointSlice>(resources.endpointSlices);
  slices.addIndex(serviceIndex, (slice) => {
    const key = keyOf(slice);
    return key === undefined ? [] : [key];
  });
  const expectations = createExpectations(clock);

  const carryOut = async (
    key: string,
    endpoints: Endpoints,
    addressType: string,
    plan: SlicePlan,
  ): Promise<void> => {
    const { namespace } = endpoints.metadata;
    const metadata = metadataOf(endpoints);
    for (const { ports, endpoints: members } of plan.create) {
      const { apiVersion, kind } = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
      const slice = { apiVersion, kind, metadata, addressType, endpoints: members, ports };
      expectations.expectCreations(key, 1);
      try {
        await client.create<EndpointSlice>(resources.endpointSlices, slice, { namespace });
      } catch (error) {
        expectations.creationObserved(key);
        if (!isNamespaceTerminating(error)) throw error;
      }
    }
    for (const slice of plan.update) {
      const { labels, annotations } = metadata;
      const next = { ...slice, metadata: { ...slice.metadata, labels, annotations } };
      await client.update<EndpointSlice>(resources.endpointSlices, next, { namespace });
    }
    await remove(key, plan.remove);
  };
  const remove = async (key: string, unwanted: readonly EndpointSlice[]): Promise<void> => {
    for (const { metadata } of unwanted) {
      const uid = metadata.uid ?? '';
      const { namespace, name } = metadata;
      expectations.expectDeletions(key, [uid]);
      try {
        await client.delete(resources.endpointSlices, name, { namespace });
      } catch (error) {
        expectations.deletionObserved(key, uid);
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
  };

  const reconcile = async (key: string): Promise<void> => {
    if (!expectations.satisfied(key)) return;
    const endpoints = all.get(key);
    const existing = slices.byIndex(serviceIndex, key);
    if (endpoints === undefined || !isMirrored(endpoints, services.get(key))) {
      await remove(key, existing);
      return;
    }
    const wanted = mirroredEndpoints(endpoints);
    if (wanted.invalid > 0) {
      const text = `Skipped ${wanted.invalid} invalid IP addresses when mirroring to EndpointSlices`;
      events.event(endpoints, 'Warning', 'InvalidIPAddress', text);
    }
    if (wanted.skipped > 0) {
      const text = `A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. ${wanted.skipped + wanted.invalid} addresses were skipped`;
      events.event(endpoints, 'Warning', 'TooManyAddressesToMirror', text);
    }
    for (const type of ['IPv4', 'IPv6'] as const) {
      const own = existing.filter((slice) => slice.addressType === type);
      const groups = wanted[type];
      const plan =
        groups.size === 0
          ? { create: [], update: [], remove: own }
          : withMetadata(planSlices(own, groups, maxEndpoints), own, metadataOf(endpoints));
      await carryOut(key, endpoints, type, plan);
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'endpointslice-mirroring-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([services, all, slices].map((informer) => informer.synced(signal))),
    reconcile,
  });
  const { queue } = loop;
  const enqueue = (object: Endpoints | Service): void => queue.add(objectKey(object));
  all.addHandler({ onAdd: enqueue, onUpdate: (_old, next) => enqueue(next), onDelete: enqueue });
  services.addHandler({
    onAdd: enqueue,
    onUpdate: (_old, next) => enqueue(next),
    onDelete: enqueue,
  });
  const onSlice = (slice: EndpointSlice): void => {
    const key = keyOf(slice);
    if (key !== undefined) queue.add(key);
  };
  slices.addHandler({
    onAdd(slice) {
      const key = keyOf(slice);
      if (key !== undefined) expectations.creationObserved(key);
      onSlice(slice);
    },
    onUpdate: (_old, slice) => onSlice(slice),
    onDelete(slice) {
      const key = keyOf(slice);
      if (key !== undefined) expectations.deletionObserved(key, slice.metadata.uid ?? '');
      onSlice(slice);
    },
  });
  return loop.done;
};

/** Adds slices whose endpoints are right and whose labels or annotations are not. */
function withMetadata(
  plan: SlicePlan,
  existing: readonly EndpointSlice[],
  wanted: EndpointSlice['metadata'],
): SlicePlan {
  const touched = new Set([...plan.update, ...plan.remove].map(({ metadata }) => metadata.name));
  const wrong = existing.filter(
    ({ metadata }) =>
      !touched.has(metadata.name) &&
      !(
        isSameJson(metadata.labels, wanted.labels) &&
        isSameJson(metadata.annotations ?? {}, wanted.annotations ?? {})
      ),
  );
  return { ...plan, update: [...plan.update, ...wrong] };
}
