import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { Pod, PodCondition } from '#schema/types.ts';
import { badRequest, notFound, plainError } from '../api-errors.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ResourceRequestContext } from '../request.ts';
import { StaleObject } from '../storage/object-store.ts';
import { podResource, successStatus } from './binding.ts';
import type { DeleteOptions } from './delete-options.ts';
import { readDeleteOptions } from './delete-options.ts';
import { checkPreconditions, deleteObject } from './delete.ts';
import { isReady, spendBudget } from './eviction-budget.ts';
import { currentEntry, readyCache } from './get.ts';
import { readDryRun } from './write-options.ts';

const maxAttempts = 20;
const ambiguous =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

interface Eviction {
  readonly core: Core;
  readonly context: ResourceRequestContext;
  readonly options: DeleteOptions;
}

/** Deletes a pod if its disruption budget lets it go; 429 when it does not. */
export async function evictPod(
  core: Core,
  object: UnknownObject,
  context: ResourceRequestContext,
): Promise<UnknownObject> {
  const { namespace, name } = context.info;
  if (object.metadata.name !== name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const options = readOptions(object, context);
  const attributes = {
    context,
    operation: 'CREATE' as const,
    subresource: 'eviction',
    namespace,
    name,
    object,
    oldObject: undefined,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    dryRun: options.dryRun,
  };
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
  const eviction: Eviction = { core, context, options };
  const pod = await evictIdle(eviction);
  if (pod !== undefined) await evictGuarded(eviction, pod);
  return successStatus as unknown as UnknownObject;
}

/** A trial is asked for in the query or in the body. */
function readOptions(object: UnknownObject, context: ResourceRequestContext): DeleteOptions {
  const isTrial = readDryRun(context.query.getAll('dryRun'), 'CreateOptions');
  const body = (object['deleteOptions'] ?? {}) as UnknownObject;
  const options = readDeleteOptions(body, context.query);
  return { ...options, dryRun: options.dryRun || isTrial };
}

/**
 * Deletes a pod that does no work, which no budget minds, again on what is there now when it
 * changed meanwhile. Returns the pod when it does work.
 */
async function evictIdle(eviction: Eviction): Promise<Pod | undefined> {
  const isFree = isUnset(eviction.options);
  for (let attempt = 1; ; attempt++) {
    const pod = await readPod(eviction);
    if (!isIdle(pod)) return pod;
    // A pending pod may begin to work meanwhile.
    const { deletionTimestamp } = pod.metadata;
    const isPending = pod.status?.phase === 'Pending' && deletionTimestamp === undefined;
    try {
      await disruptPod(eviction, isPending && isFree ? pod.metadata.resourceVersion : undefined);
      return undefined;
    } catch (error) {
      if (!isFree || attempt === maxAttempts || !hasReason(error, 'Conflict')) throw error;
    }
  }
}

async function evictGuarded(eviction: Eviction, pod: Pod): Promise<void> {
  const { core, options } = eviction;
  const verdict = await spendBudget(core, pod, options.dryRun);
  if (verdict === 'ambiguous') throw plainError(ambiguous);
  const mustStay = verdict === 'evictUnchanged' && !isReady(pod) && isUnset(options);
  await disruptPod(eviction, mustStay ? pod.metadata.resourceVersion : undefined);
}

/** A pod that does no work cannot disturb any. */
function isIdle({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  return ['Pending', 'Succeeded', 'Failed'].includes(status?.phase ?? '');
}

/** Whether the client named no version. */
function isUnset({ preconditions }: DeleteOptions): boolean {
  return (preconditions.resourceVersion ?? '') === '';
}

async function readPod({ core, context }: Eviction): Promise<Pod> {
  const served = podResource(core);
  const { namespace, name } = context.info;
  const cache = await readyCache(core, served, 'get');
  const entry = await currentEntry(core, cache, cache.keyOf(namespace, name));
  if (entry === undefined) throw notFound(served.info, name);
  return entry.object();
}

/**
 * Says in the pod's status why it goes, then deletes it, in this version if one is named. Admission
 * was asked about the eviction and is not asked about the delete, as upstream.
 */
async function disruptPod(eviction: Eviction, resourceVersion: string | undefined): Promise<void> {
  const { core, context } = eviction;
  const served = podResource(core);
  const { namespace, name } = context.info;
  const preconditions = {
    ...eviction.options.preconditions,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  let options: DeleteOptions = { ...eviction.options, preconditions };
  if (!options.dryRun) {
    const version = await markDisrupted(eviction, options);
    if (!isUnset(options)) {
      options = { ...options, preconditions: { ...preconditions, resourceVersion: version } };
    }
  }
  const podContext = { ...plainContext(context), resource: served.info };
  const request = { core, served, context: podContext, namespace, name, options };
  await deleteObject({ ...request, isAdmitted: true });
}

/** Returns the version that the pod has with the condition. */
async function markDisrupted({ core, context }: Eviction, options: DeleteOptions): Promise<string> {
  const served = podResource(core);
  const { namespace, name } = context.info;
  const cache = await readyCache(core, served, 'get');
  let current: CacheEntry | undefined = await currentEntry(
    core,
    cache,
    cache.keyOf(namespace, name),
  );
  for (let attempt = 1; ; attempt++) {
    if (current === undefined) throw notFound(served.info, name);
    checkPreconditions({ options, served, name }, current);
    const pod = current.object() as unknown as Pod;
    const marked = disrupted(pod, core.clock.now());
    if (marked === pod) return pod.metadata.resourceVersion ?? '';
    try {
      const entry = await core.store.update(cache, current, marked as never);
      return String(entry.revision);
    } catch (error) {
      if (!(error instanceof StaleObject) || attempt === maxAttempts) throw error;
      current = error.current;
    }
  }
}

/** The pod itself when it says so already. */
function disrupted(pod: Pod, nowMs: number): Pod {
  const { conditions = [] } = pod.status ?? {};
  const before = conditions.find(({ type }) => type === 'DisruptionTarget');
  const reason = 'EvictionByEvictionAPI';
  const message = 'Eviction API: evicting';
  const isSame = before?.status === 'True';
  if (isSame && before.reason === reason && before.message === message) return pod;
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: isSame ? before.lastTransitionTime : formatTime(nowMs),
    reason,
    message,
  };
  const next =
    before === undefined
      ? [...conditions, condition]
      : conditions.map((one) => (one === before ? condition : one));
  return {
    ...pod,
    metadata: { ...pod.metadata },
    status: { ...pod.status, conditions: next },
  };
}

/** The context without its getters, so that it can be spread. */
function plainContext(context: ResourceRequestContext): ResourceRequestContext {
  const { info, user, query, warnings, userAgent, signal, auditId, trail, resource } = context;
  return { info, user, query, warnings, userAgent, signal, auditId, trail, resource };
}
