import type { StatusBody } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { traced } from '#base/trace.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { Binding, Pod } from '#schema/types.ts';
import { badRequest, conflict, internalError, notFound, plainError } from '../api-errors.ts';
import { aggregate } from '../authz/rbac/rbac-authorizer.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { StaleObject } from '../storage/object-store.ts';
import { currentEntry, readyCache } from './get.ts';
import { checkNamespace, readDryRun } from './write-options.ts';

const maxAttempts = 20;
const bindingResource = { group: '', resource: 'pods/binding' };

/** The Status that answers a write which returns no object. */
export const successStatus: StatusBody = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
};

/**
 * Gives a pod its node, once: sets spec.nodeName and the PodScheduled condition, takes over the
 * binding's labels and annotations. Conflict when the pod has a node, is gated or is going.
 */
export async function bindPod(
  core: Core,
  object: UnknownObject,
  context: ResourceRequestContext,
): Promise<UnknownObject> {
  const served = podResource(core);
  const binding = object as unknown as Binding;
  const { namespace } = context.info;
  const name = context.info.name === '' ? binding.metadata.name : context.info.name;
  if (binding.metadata.name !== name) {
    throw badRequest('name in URL does not match name in Binding object');
  }
  checkNamespace(binding.metadata.namespace, namespace);
  binding.metadata.namespace = namespace;
  checkTarget(binding);
  const dryRun = readDryRun(context.query.getAll('dryRun'), 'CreateOptions');
  const attributes = {
    context,
    operation: 'CREATE' as const,
    // the older path is a resource of its own: bindings
    subresource: context.info.subresource,
    namespace,
    name,
    object,
    oldObject: undefined,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    dryRun,
  };
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
  await assign(core, served, attributes.object as unknown as Binding, dryRun);
  return successStatus as unknown as UnknownObject;
}

/** The pods resource, which every server serves. */
export function podResource(core: Core): ServedResource {
  const served = core.registry.byResource({ group: '', version: 'v1', resource: 'pods' });
  if (served === undefined) throw internalError('pods are not served');
  return served;
}

async function assign(
  core: Core,
  served: ServedResource,
  binding: Binding,
  dryRun: boolean,
): Promise<void> {
  const { name, namespace = '' } = binding.metadata;
  const cache = await readyCache(core, served, 'create');
  const key = cache.keyOf(namespace, name);
  let current = await currentEntry(core, cache, key);
  for (let attempt = 1; ; attempt++) {
    if (current === undefined) throw notFound(served.info, name);
    const bound = boundPod(current, binding, core.clock.now());
    if (dryRun) return;
    const entry: CacheEntry = current;
    const subject = { key: `pods/${namespace}/${name}`, detail: binding.target.name };
    try {
      await traced('write.store', subject, () =>
        core.store.update(cache, entry, bound as unknown as UnknownObject),
      );
      return;
    } catch (error) {
      if (!(error instanceof StaleObject) || attempt === maxAttempts) throw error;
      current = error.current;
    }
  }
}

/** Upstream has no Status for these errors: they come as text. */
function checkTarget(binding: Binding): void {
  const target = (binding as Partial<Binding>).target ?? {};
  const errors: string[] = [];
  if (target.kind !== undefined && target.kind !== '' && target.kind !== 'Node') {
    const given = JSON.stringify(target.kind);
    errors.push(`target.kind: Unsupported value: ${given}: supported values: "Node", "<empty>"`);
  }
  if (target.name === undefined || target.name === '') {
    errors.push('target.name: Required value');
  }
  if (errors.length > 0) throw plainError(aggregate(errors));
}

/** The pod with its node: fresh where it changes, shared otherwise. */
function boundPod(current: CacheEntry, binding: Binding, nowMs: number): Pod {
  const pod = current.object() as unknown as Pod;
  const { name } = pod.metadata;
  const { uid, resourceVersion, annotations, labels } = binding.metadata;
  if (uid !== undefined && uid !== '' && uid !== pod.metadata.uid) {
    const text = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ''}`;
    throw conflict(bindingResource, name, text);
  }
  if ((resourceVersion ?? '') !== '' && resourceVersion !== pod.metadata.resourceVersion) {
    const text = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion ?? ''}`;
    throw conflict(bindingResource, name, text);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    const text = `pod ${name} is being deleted, cannot be assigned to a host`;
    throw conflict(bindingResource, name, text);
  }
  const { spec } = pod;
  if ((spec?.nodeName ?? '') !== '') {
    const text = `pod ${name} is already assigned to node ${JSON.stringify(spec?.nodeName)}`;
    throw conflict(bindingResource, name, text);
  }
  if ((spec?.schedulingGates?.length ?? 0) > 0) {
    throw conflict(bindingResource, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations === undefined
        ? {}
        : { annotations: { ...pod.metadata.annotations, ...annotations } }),
      ...(labels === undefined ? {} : { labels: { ...pod.metadata.labels, ...labels } }),
    },
    spec: { ...spec, nodeName: binding.target.name } as NonNullable<Pod['spec']>,
    status: scheduledStatus(pod, nowMs),
  };
}

function scheduledStatus({ status }: Pod, nowMs: number): NonNullable<Pod['status']> {
  const { nominatedNodeName: _nominated, ...rest } = status ?? {};
  const conditions = rest.conditions ?? [];
  const before = conditions.find((condition) => condition.type === 'PodScheduled');
  const lastTransitionTime =
    before?.status === 'True' ? before.lastTransitionTime : formatTime(nowMs);
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
  };
  return {
    ...rest,
    conditions:
      before === undefined
        ? [...conditions, scheduled]
        : conditions.map((condition) => (condition === before ? scheduled : condition)),
  };
}
