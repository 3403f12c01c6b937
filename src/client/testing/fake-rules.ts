import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { nameSuffix } from '#base/random.ts';
import type { Random } from '#base/random.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { DeleteOptions } from '../client.ts';

/** Resources whose status only the status subresource changes. */
export const statusResources: ReadonlySet<string> = new Set([
  'certificatesigningrequests',
  'cronjobs',
  'daemonsets',
  'deployments',
  'horizontalpodautoscalers',
  'ingresses',
  'jobs',
  'namespaces',
  'networkpolicies',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
  'poddisruptionbudgets',
  'pods',
  'replicasets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'statefulsets',
]);

/** The object as the server makes it from a create request. */
export function created(
  resource: string,
  wanted: UnknownObject,
  context: { clock: Clock; random: Random; namespace: string | undefined },
): UnknownObject {
  const { clock, random, namespace } = context;
  const object = structuredClone(wanted);
  const { metadata } = object;
  if ((metadata.name ?? '') === '' && metadata.generateName !== undefined) {
    metadata.name = metadata.generateName + nameSuffix(random);
  }
  if (namespace !== undefined) metadata.namespace = namespace;
  metadata.uid = random.uuid();
  metadata.creationTimestamp = formatTime(clock.now());
  delete metadata.deletionTimestamp;
  if (object['spec'] !== undefined) metadata.generation = 1;
  if (statusResources.has(resource)) {
    delete object['status'];
    if (resource === 'pods') object['status'] = { phase: 'Pending' };
  }
  if (resource === 'namespaces') {
    object['spec'] = { finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
  }
  return object;
}

/** The object as the server makes it from an update of it, or of a subresource. */
export function updated(
  resource: string,
  live: UnknownObject,
  wanted: UnknownObject,
  subresource: string | undefined,
): UnknownObject {
  const object = structuredClone(subresource === undefined ? wanted : live);
  if (subresource === 'status') {
    object['status'] = structuredClone(wanted['status']);
    const { annotations } = wanted.metadata;
    // a Deployment's revision is written this way
    if (annotations !== undefined) object.metadata.annotations = structuredClone(annotations);
    return object;
  }
  if (subresource === 'finalize') {
    object['spec'] = structuredClone(wanted['spec']);
    return object;
  }
  if (subresource !== undefined) throw new Error(`the fake knows no update of ${subresource}`);
  const kept = live.metadata;
  const { metadata } = object;
  metadata.uid = kept.uid;
  metadata.creationTimestamp = kept.creationTimestamp;
  if (kept.deletionTimestamp !== undefined) {
    metadata.deletionTimestamp = kept.deletionTimestamp;
    metadata.deletionGracePeriodSeconds = kept.deletionGracePeriodSeconds;
  }
  if (statusResources.has(resource)) object['status'] = structuredClone(live['status']);
  const isSpecSame = sameJson(object['spec'], live['spec']);
  metadata.generation = isSpecSame ? kept.generation : (kept.generation ?? 0) + 1;
  return object;
}

/** Whether nothing keeps an object that is being deleted. */
export function isGone(object: UnknownObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0) return false;
  const specFinalizers = (object['spec'] as { finalizers?: string[] } | undefined)?.finalizers;
  if (object.kind === 'Namespace' && (specFinalizers ?? []).length > 0) return false;
  return deletionGracePeriodSeconds === 0;
}

/** The object as a delete request leaves it; it is gone when isGone says so. */
export function deleted(
  resource: string,
  live: UnknownObject,
  options: DeleteOptions,
  clock: Clock,
): UnknownObject {
  const object = structuredClone(live);
  const { metadata } = object;
  const graceSeconds = graceOf(resource, object, options);
  const { deletionGracePeriodSeconds: current } = metadata;
  if (metadata.deletionTimestamp === undefined || graceSeconds < (current ?? 0)) {
    metadata.deletionTimestamp = formatTime(clock.now() + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = graceSeconds;
  }
  const finalizers = new Set(metadata.finalizers);
  if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
  if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
  if (finalizers.size > 0) metadata.finalizers = [...finalizers];
  if (resource === 'namespaces') object['status'] = { ...live['status']!, phase: 'Terminating' };
  return object;
}

/** Only pods on a node end gracefully. */
function graceOf(resource: string, object: UnknownObject, options: DeleteOptions): number {
  if (resource !== 'pods') return 0;
  const spec = object['spec'] as
    | { nodeName?: string; terminationGracePeriodSeconds?: number }
    | undefined;
  const phase = (object['status'] as { phase?: string } | undefined)?.phase;
  if ((spec?.nodeName ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  return options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
}

/** Equality of JSON values, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
