import type {
  APIService,
  ComponentStatus,
  ConfigMap,
  CoreV1Event,
  EventsV1Event,
  Lease,
  Namespace,
  Node,
  PriorityClass,
  ResourceQuota,
  RuntimeClass,
  Scale,
  Secret,
  ServiceAccount,
  Status,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { age, none, unknown } from './cell-text.ts';

const rolePrefix = 'node-role.kubernetes.io/';

function nodeRoles({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(rolePrefix) && label.length > rolePrefix.length) {
      roles.add(label.slice(rolePrefix.length));
    }
    if (label === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return roles.size === 0 ? none : [...roles].sort().join(',');
}

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

export function nodeCells(node: Node, nowMs: number): Cell[] {
  const info = node.status?.nodeInfo;
  const address = (type: string): string =>
    node.status?.addresses?.find((item) => item.type === type)?.address ?? none;
  const kernel = info?.kernelVersion || unknown;
  return [
    node.metadata.name,
    nodeStatus(node),
    nodeRoles(node),
    age(node.metadata.creationTimestamp, nowMs),
    info?.kubeletVersion ?? '',
    address('InternalIP'),
    address('ExternalIP'),
    info?.osImage || unknown,
    info?.architecture ? `${kernel} (${info.architecture})` : kernel,
    info?.containerRuntimeVersion || unknown,
  ];
}

/** The fields that both event APIs have, under either name. */
interface AnyEvent {
  involved: {
    kind?: string | undefined;
    name?: string | undefined;
    fieldPath?: string | undefined;
  };
  source: { component?: string | undefined; host?: string | undefined };
  controller: string;
  instance: string;
  message: string;
  first: string | undefined;
  last: string | undefined;
  count: number;
}

function readEvent(event: CoreV1Event | EventsV1Event): AnyEvent {
  if ('involvedObject' in event) {
    return {
      involved: event.involvedObject,
      source: event.source ?? {},
      controller: event.reportingComponent ?? '',
      instance: event.reportingInstance ?? '',
      message: event.message ?? '',
      first: event.firstTimestamp,
      last: event.lastTimestamp,
      count: event.count ?? 0,
    };
  }
  const newer = event;
  return {
    involved: newer.regarding ?? {},
    source: newer.deprecatedSource ?? {},
    controller: newer.reportingController ?? '',
    instance: newer.reportingInstance ?? '',
    message: newer.note ?? '',
    first: newer.deprecatedFirstTimestamp,
    last: newer.deprecatedLastTimestamp,
    count: newer.deprecatedCount ?? 0,
  };
}

export function eventCells(event: CoreV1Event | EventsV1Event, nowMs: number): Cell[] {
  const read = readEvent(event);
  const { series, eventTime } = event;
  const kind = (read.involved.kind ?? '').toLowerCase();
  const component = read.source.component || read.controller;
  const host = read.source.host || read.instance;
  const firstSeen = age(read.first ?? eventTime, nowMs);
  const lastTime = series?.lastObservedTime ?? read.last;
  return [
    lastTime === undefined ? firstSeen : age(lastTime, nowMs),
    event.type ?? '',
    event.reason ?? '',
    read.involved.name ? `${kind}/${read.involved.name}` : kind,
    read.involved.fieldPath ?? '',
    host === '' ? component : `${component}, ${host}`,
    read.message.trim(),
    firstSeen,
    series?.count ?? (read.count || 1),
    event.metadata.name,
  ];
}

export function namespaceCells({ metadata, status }: Namespace, nowMs: number): Cell[] {
  return [metadata.name, status?.phase ?? '', age(metadata.creationTimestamp, nowMs)];
}

export function secretCells({ metadata, type, data = {} }: Secret, nowMs: number): Cell[] {
  const count = Object.keys(data).length;
  return [metadata.name, type ?? '', count, age(metadata.creationTimestamp, nowMs)];
}

export function configMapCells(map: ConfigMap, nowMs: number): Cell[] {
  const { metadata, data = {}, binaryData = {} } = map;
  const count = Object.keys(data).length + Object.keys(binaryData).length;
  return [metadata.name, count, age(metadata.creationTimestamp, nowMs)];
}

export function nameAndAge({ metadata }: Pick<ServiceAccount, 'metadata'>, nowMs: number): Cell[] {
  return [metadata.name, age(metadata.creationTimestamp, nowMs)];
}

export function leaseCells({ metadata, spec }: Lease, nowMs: number): Cell[] {
  return [metadata.name, spec?.holderIdentity ?? '', age(metadata.creationTimestamp, nowMs)];
}

export function componentStatusCells({ metadata, conditions = [] }: ComponentStatus): Cell[] {
  const healthy = conditions.find((condition) => condition.type === 'Healthy');
  const words: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' };
  const word = words[healthy?.status ?? ''] ?? 'Unknown';
  return [metadata.name, word, healthy?.message ?? '', healthy?.error ?? ''];
}

export function resourceQuotaCells({ metadata, status }: ResourceQuota, nowMs: number): Cell[] {
  const requests: string[] = [];
  const limits: string[] = [];
  for (const name of Object.keys(status?.hard ?? {}).sort()) {
    const text = `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`;
    (name.startsWith('limits.') ? limits : requests).push(text);
  }
  const createdAgo = age(metadata.creationTimestamp, nowMs);
  return [metadata.name, requests.join(', '), limits.join(', '), createdAgo];
}

export function priorityClassCells(object: PriorityClass, nowMs: number): Cell[] {
  return [
    object.metadata.name,
    object.value ?? 0,
    object.globalDefault === true,
    age(object.metadata.creationTimestamp, nowMs),
    object.preemptionPolicy ?? '',
  ];
}

export function runtimeClassCells({ metadata, handler }: RuntimeClass, nowMs: number): Cell[] {
  return [metadata.name, handler, age(metadata.creationTimestamp, nowMs)];
}

export function scaleCells({ metadata, spec, status }: Scale, nowMs: number): Cell[] {
  const desired = spec?.replicas ?? 0;
  return [metadata.name, desired, status?.replicas ?? 0, age(metadata.creationTimestamp, nowMs)];
}

export function statusCells({ status, reason, message }: Status): Cell[] {
  return [status ?? '', reason ?? '', message ?? ''];
}

export function apiServiceCells({ metadata, spec, status }: APIService, nowMs: number): Cell[] {
  const available = status?.conditions?.find((condition) => condition.type === 'Available');
  let text = available?.status ?? 'Unknown';
  if (available !== undefined && available.status !== 'True')
    text += ` (${available.reason ?? ''})`;
  const service = spec?.service;
  return [
    metadata.name,
    service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`,
    text,
    age(metadata.creationTimestamp, nowMs),
  ];
}
