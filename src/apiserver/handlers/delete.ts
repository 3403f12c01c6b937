import type { DeletedStatus } from '#base/api-status-error.ts';
import { traced } from '#base/trace.ts';
import { conflict, notFound } from '../api-errors.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { AdmissionAttributes } from '../admission/plugin.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries, servedObject } from '../resource-registry.ts';
import { StaleObject } from '../storage/object-store.ts';
import { trialEntry } from '../storage/trial-entry.ts';
import { addWarnings } from './create.ts';
import type { DeleteOptions } from './delete-options.ts';
import { deleteOptionsObject } from './delete-options.ts';
import { finishDelete } from './finish-delete.ts';
import { checkPathName, currentEntry, readThrough, readyCache } from './get.ts';
import type { DefaultPropagation, DeletePlan } from './plan-delete.ts';
import { planDelete } from './plan-delete.ts';
import { defaultWriteOptions } from './write-options.ts';

const maxAttempts = 20;

export interface DeleteRequest {
  core: Core;
  served: ServedResource;
  context: ResourceRequestContext;
  namespace: string;
  name: string;
  options: DeleteOptions;
  /** Admission was asked about something that includes this delete. */
  isAdmitted?: boolean;
  /** The object as it was read just now; saves reading it again where it is not in memory. */
  known?: CacheEntry | undefined;
}

export interface DeleteResult {
  /** The last state; with a deletionTimestamp when the object is still there. */
  readonly entry: CacheEntry;
  readonly isRemoved: boolean;
}

/** Deletes one object, or starts its deletion. Throws NotFound, Conflict, Forbidden. */
export async function deleteObject(request: DeleteRequest): Promise<DeleteResult> {
  const { core, served, namespace, name } = request;
  addWarnings(request.context, served.hooks.deleteWarnings?.(request.options));
  checkPathName(name);
  const cache = await readyCache(core, served, 'delete');
  const key = cache.keyOf(served.info.namespaced ? namespace : '', name);
  let current = core.backend.exclusive
    ? (cache.get(key) ?? request.known ?? (await currentEntry(core, cache, key)))
    : await readThrough(core, cache, key);
  if (current !== undefined) {
    checkPreconditions(request, current);
    if (request.isAdmitted !== true) await admit(request, current);
  }
  for (let attempt = 1; ; attempt++) {
    if (current === undefined) throw notFound(served.info, name);
    checkPreconditions(request, current);
    try {
      return await attemptDelete(request, cache, current);
    } catch (error) {
      if (!(error instanceof StaleObject)) throw error;
      if (attempt === maxAttempts) throw conflict(served.info, name);
      current = error.current;
    }
  }
}

/** Events never have dependents: the garbage collector does not look at them. */
function propagationOf(info: ServedResource['info']): DefaultPropagation {
  return info.resource === 'events' ? 'Unsupported' : info.defaultPropagation;
}

/** The body that answers the delete of an object that is gone. */
export function deletedStatus(served: ServedResource, entry: CacheEntry): DeletedStatus {
  const { group, resource } = served.info;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: entry.name,
      ...(group === '' ? {} : { group }),
      kind: resource,
      uid: entry.object().metadata.uid,
    },
  };
}

async function attemptDelete(
  request: DeleteRequest,
  cache: PrefixCache,
  current: CacheEntry,
): Promise<DeleteResult> {
  const { core, served, options } = request;
  const plan = planDelete({
    object: current.object(),
    options,
    hooks: served.hooks,
    defaultPropagation: propagationOf(served.info),
    nowMs: core.clock.now(),
  });
  if (options.dryRun) return dryRunResult(cache, current, plan);
  const subject = { key: current.key.slice('/registry/'.length) };
  const removal = { ...request, options: defaultWriteOptions };
  if (plan.isRemoved) {
    const entry = await traced('write.store', subject, () =>
      finishDelete(removal, cache, current, plan.changed),
    );
    return { entry, isRemoved: true };
  }
  const { changed } = plan;
  if (changed === undefined) return { entry: current, isRemoved: false };
  const entry = await traced('write.store', subject, () =>
    core.store.update(cache, current, changed),
  );
  return { entry, isRemoved: false };
}

/** What the delete would have left, without doing it. */
function dryRunResult(cache: PrefixCache, current: CacheEntry, plan: DeletePlan): DeleteResult {
  const { changed, isRemoved } = plan;
  if (changed === undefined) return { entry: current, isRemoved };
  return { entry: trialEntry(cache, current.key, changed, current.revision), isRemoved };
}

async function admit(request: DeleteRequest, current: CacheEntry): Promise<void> {
  const { core, served, context, namespace, name, options } = request;
  await prepareEntries(served, [current]);
  const attributes: AdmissionAttributes = {
    context,
    operation: 'DELETE',
    subresource: '',
    namespace,
    name,
    object: undefined,
    oldObject: servedObject(served, current),
    options: deleteOptionsObject(options),
    dryRun: options.dryRun,
  };
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
}

/** Upstream's early check: it names the kind, not the resource. */
export function checkPreconditions(
  { options, served, name }: Pick<DeleteRequest, 'options' | 'served' | 'name'>,
  current: CacheEntry,
): void {
  const { uid, resourceVersion } = options.preconditions;
  if (uid === undefined && resourceVersion === undefined) return;
  const stored = current.object().metadata;
  const of = { group: served.info.group, resource: served.info.kind };
  if (uid !== undefined && uid !== stored.uid) {
    const text = `the UID in the precondition (${uid}) does not match the UID in record (${stored.uid ?? ''}). The object might have been deleted and then recreated`;
    throw conflict(of, name, text);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(current.revision)) {
    const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.revision}). The object might have been modified`;
    throw conflict(of, name, text);
  }
}
