import { controllerReference } from '#client/mod.ts';
import type { EndpointSlice, Service } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { lacksAddress } from '../service-pods/pod-address.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managerName = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';
export const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Slices that this controller may change. */
export function isManaged(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[managedByLabel] === managerName;
}

/** The service's labels and those that say whose slice it is. */
export function sliceLabels(service: Service): Record<string, string> {
  const { labels = {}, name } = service.metadata;
  const { [headlessLabel]: _headless, ...own } = labels;
  return {
    ...own,
    [serviceNameLabel]: name,
    [managedByLabel]: managerName,
    ...(lacksAddress(service) ? { [headlessLabel]: '' } : {}),
  };
}

export function newSliceMetadata(
  service: Service,
  triggerTime: string | undefined,
): EndpointSlice['metadata'] {
  const { name, namespace } = service.metadata;
  return {
    name: '',
    generateName: `${name}-`,
    namespace,
    labels: sliceLabels(service),
    ...(triggerTime === undefined ? {} : { annotations: { [triggerAnnotation]: triggerTime } }),
    ownerReferences: [controllerReference(service)],
  };
}

/**
 * A slice with the labels its service gives it and the time of the change that it is written for.
 */
export function withSliceMetadata(
  slice: EndpointSlice,
  service: Service,
  triggerTime: string | undefined,
): EndpointSlice {
  const { [triggerAnnotation]: _former, ...annotations } = slice.metadata.annotations ?? {};
  if (triggerTime !== undefined) annotations[triggerAnnotation] = triggerTime;
  const metadata = { ...slice.metadata, labels: sliceLabels(service), annotations };
  return { ...slice, metadata };
}

export function hasRightLabels(slice: EndpointSlice, service: Service): boolean {
  return isSameJson(slice.metadata.labels ?? {}, sliceLabels(service));
}
