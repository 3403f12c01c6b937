import { traced, traceMark } from '#base/trace.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { TrackOptions } from '#schema/apply/mod.ts';
import { isSameOwners, trackUpdate, trackUpdateAcross } from '#schema/apply/mod.ts';
import { prepareForUpdate } from '#schema/strategy/mod.ts';
import { conflict, invalid, notFound, plainError, preconditionText } from '../api-errors.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { isSameJson } from '../json-copy.ts';
import { admissionAttributes, hookScope, subjectOf, withUndo } from '../pipeline/write-scope.ts';
import { authorize } from '../pipeline/authorize.ts';
import type { AdmissionView, WriteScope } from '../pipeline/write-scope.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries, servedObject } from '../resource-registry.ts';
import { StaleObject } from '../storage/object-store.ts';
import { trialEntry } from '../storage/trial-entry.ts';
import { addWarnings, createObject, timeToLive } from './create.ts';
import { mutateKeepingManagers } from './admitted-owners.ts';
import { finishDelete } from './finish-delete.ts';
import { checkPathName, currentEntry, readThrough, readyCache } from './get.ts';
import {
  afterMutation,
  findUpdateErrors,
  storedForm,
  typesOf,
  withDefaults,
} from './kind-steps.ts';
import { unsignedProblem } from './list-options.ts';
import { dropRepeatedOwners } from './repeated-owners.ts';
import { storedObject } from './stored-object.ts';
import type { WriteOptions } from './write-options.ts';
import { checkGivenName, checkNamespace, managerOf } from './write-options.ts';

/** Attempts of a write that names no version before the conflict is the client's. */
const maxAttempts = 20;

export interface UpdateRequest {
  core: Core;
  served: ServedResource;
  context: ResourceRequestContext;
  options: WriteOptions;
  name: string;
  subresource: string;
  /**
   * Makes the wanted object, fresh, from the stored one (shared, read-only). Called again after a
   * conflict. Managed fields of the result are final when `isApplied` is set.
   */
  change: (old: UnknownObject) => Promise<UnknownObject> | UnknownObject;
  /** The object to create when there is none; absent: NotFound. */
  createInstead?: (() => UnknownObject) | undefined;
  isApplied?: boolean;
  /**
   * The wanted object has the stored version because it was made from it, not because the client
   * named it: a change in between makes the write be done again.
   */
  isPatch?: boolean;
  /** Its uid, when it names one, must be the stored one before anything else is looked at. */
  isReplace?: boolean;
  /** What admission is shown in place of the object. */
  view?: AdmissionView | undefined;
}

export interface UpdateResult {
  readonly entry: CacheEntry;
  readonly isCreated: boolean;
}

/**
 * Changes one object: change, default, managed fields, mutate, strategy, kind hook, validate,
 * validating admission, commit. A version in the wanted object must be the stored one (Conflict);
 * without one the change is done again on what is there now. No difference, no write.
 */
export async function updateObject(request: UpdateRequest): Promise<UpdateResult> {
  const { core, served, context, name } = request;
  checkPathName(name);
  const cache = await readyCache(core, served, 'update');
  const key = cache.keyOf(served.info.namespaced ? context.info.namespace : '', name);
  let current = await currentEntry(core, cache, key);
  let isNewest = core.backend.exclusive;
  for (let attempt = 1; ; attempt++) {
    if (current === undefined) {
      if (request.createInstead === undefined) throw notFound(served.info, name);
      return {
        entry: await createFromUpdate(request, key, request.createInstead()),
        isCreated: true,
      };
    }
    try {
      return { entry: await attemptUpdate(request, cache, current), isCreated: false };
    } catch (error) {
      if (!(error instanceof StaleObject)) {
        if (isNewest) throw error;
        // refused on a state that another server may have changed just now
        const newest = await readThrough(core, cache, key);
        isNewest = true;
        if (newest?.revision === current.revision) throw error;
        current = newest;
        continue;
      }
      if (attempt === maxAttempts) throw conflict(served.info, name);
      await cacheCatchesUp(core, error.current);
      current = error.current;
    }
  }
}

async function cacheCatchesUp(core: Core, entry: CacheEntry | undefined): Promise<void> {
  const wait = entry === undefined ? undefined : core.cache.waitForRevision(entry.revision);
  if (wait !== undefined) await wait;
}

async function createFromUpdate(
  request: UpdateRequest,
  key: string,
  object: UnknownObject,
): Promise<CacheEntry> {
  const { served, name } = request;
  const { uid } = object.metadata;
  if (uid !== undefined && uid !== '') {
    const text =
      request.isReplace === true
        ? preconditionText(key, uid, undefined)
        : `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(served.info, name, text);
  }
  // there is no version that it could be compared with
  delete object.metadata.resourceVersion;
  await authorize(request.core.authorizer, request.context, { verb: 'create' });
  return await createObject({ ...request, object });
}

async function attemptUpdate(
  request: UpdateRequest,
  cache: PrefixCache,
  current: CacheEntry,
): Promise<CacheEntry> {
  const { core, served, context, options, name, subresource } = request;
  const { info } = served;
  await prepareEntries(served, [current]);
  const old = storedObject(served, current);
  let object = await request.change(old);
  if (request.isReplace === true) checkUid(request, object, current);
  checkIdentity(request, object);
  const wantsVersion = checkVersion(request, object, current);
  fillFromOld(object, old);
  if (context.info.verb === 'update') dropRepeatedOwners(context, object, 'before');
  const scope: WriteScope = {
    context,
    served,
    namespace: info.namespaced ? context.info.namespace : '',
    name,
    subresource,
    options,
    nowMs: core.clock.now(),
  };
  object = withDefaults(served, object);
  traceMark('write.default', () => subjectOf(scope));
  if (request.isApplied !== true) {
    const tracked: TrackOptions = {
      old,
      object,
      manager: managerOf(options, context.userAgent),
      operation: 'Update',
      info,
      subresource,
      nowMs: scope.nowMs,
      ...typesOf(served),
    };
    const versions = served.custom?.otherVersions;
    object =
      versions === undefined ? trackUpdate(tracked) : await trackUpdateAcross(tracked, versions);
  }
  const { view } = request;
  const shown = (of: UnknownObject): UnknownObject => view?.of(of) ?? of;
  const attributes = admissionAttributes(scope, 'UPDATE', shown(object), shown(old), view?.kind);
  await traced('write.mutate', {}, () => mutateKeepingManagers(core.admission, attributes));
  const mutated = attributes.object ?? object;
  object = afterMutation(served, view?.into(object, mutated) ?? mutated, object);
  checkIdentity(request, object);
  dropRepeatedOwners(context, object, 'after');
  prepareForUpdate(info, object, old, subresource);
  traceMark('write.prepare', () => subjectOf(scope));
  const undo = await served.hooks.beforeUpdate?.(object, old, hookScope(scope));
  return await withUndo(undo, options.dryRun, async () => {
    const errors = findUpdateErrors(scope, object, old);
    if (errors.length > 0) throw invalid(info, name, errors);
    traceMark('write.check', () => subjectOf(scope));
    attributes.object = shown(object);
    await traced('write.validate', {}, () => core.admission.validate(attributes));
    if (subresource === '') addWarnings(context, served.hooks.warnings?.(object, old));
    else if (subresource === 'status') {
      addWarnings(context, served.hooks.statusWarnings?.(object));
    }
    object.metadata.resourceVersion = old.metadata.resourceVersion;
    keepTimes(object, old);
    const isStored = served.custom?.isStoredAsIs(current) !== false;
    const isStale = core.encryption?.isStale(current.key) === true;
    if (isStored && !isStale && isSameJson(object, old))
      return await unchanged(core, cache, current);
    try {
      const entry = await commitUpdate(request, cache, current, object);
      if (!options.dryRun)
        await served.hooks.afterWrite?.(servedObject(served, entry), old, hookScope(scope));
      return entry;
    } catch (error) {
      if (error instanceof StaleObject && wantsVersion && request.isPatch !== true)
        throw conflict(info, name);
      throw error;
    }
  });
}

/**
 * Times of managers say when something changed: where nothing else did in the end, as a default or
 * a hook undid it, they are not news either.
 */
function keepTimes(object: UnknownObject, old: UnknownObject): void {
  const { managedFields } = object.metadata;
  const before = old.metadata.managedFields;
  if (managedFields === before || managedFields === undefined || before === undefined) return;
  if (!isSameOwners(managedFields, before)) return;
  object.metadata.managedFields = before;
  if (!isSameJson(object, old)) object.metadata.managedFields = managedFields;
}

/** Nothing to write; throws StaleObject when another server has changed the object meanwhile. */
async function unchanged(core: Core, cache: PrefixCache, current: CacheEntry): Promise<CacheEntry> {
  if (core.backend.exclusive) return current;
  const newest = await readThrough(core, cache, current.key);
  if (newest?.revision !== current.revision) throw new StaleObject(newest);
  return current;
}

async function commitUpdate(
  request: UpdateRequest,
  cache: PrefixCache,
  current: CacheEntry,
  object: UnknownObject,
): Promise<CacheEntry> {
  const { core, served, options } = request;
  const stored = await storedForm(served, object);
  if (options.dryRun) return trialEntry(cache, current.key, stored, current.revision);
  const subject = { key: current.key.slice('/registry/'.length), uid: stored.metadata.uid };
  return await traced('write.store', subject, () =>
    isFinished(stored)
      ? finishDelete(request, cache, current, stored)
      : core.store.update(cache, current, stored, timeToLive(core, served.info.resource)),
  );
}

/** Whether nothing keeps an object that is being deleted any longer. */
export function isFinished(object: UnknownObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0) return false;
  if ((deletionGracePeriodSeconds ?? 0) > 0) return false;
  const spec = object['spec'] as { finalizers?: unknown[] } | undefined;
  return object.kind !== 'Namespace' || (spec?.finalizers?.length ?? 0) === 0;
}

function checkIdentity({ served, name, context }: UpdateRequest, object: UnknownObject): void {
  const { metadata } = object;
  checkGivenName(metadata.name, name);
  if (!served.info.namespaced) {
    delete metadata.namespace;
    return;
  }
  checkNamespace(metadata.namespace, context.info.namespace);
  metadata.namespace = context.info.namespace;
}

/** Throws Conflict when the object names another uid than the stored one has. */
function checkUid({ served, name }: UpdateRequest, object: UnknownObject, to: CacheEntry): void {
  const { uid } = object.metadata;
  const storedUid = to.object().metadata.uid;
  if (uid === undefined || uid === '' || uid === storedUid) return;
  throw conflict(served.info, name, preconditionText(to.key, uid, storedUid));
}

/** Throws Conflict for another version; returns whether the client named a version. */
function checkVersion(request: UpdateRequest, object: UnknownObject, current: CacheEntry): boolean {
  const { info } = request.served;
  const { resourceVersion = '' } = object.metadata;
  if (resourceVersion === '' || /^0+$/.test(resourceVersion)) {
    const { subresource } = request;
    const isOther = subresource !== '' && subresource !== 'status';
    if (info.allowUnconditionalUpdate || isOther) return false;
    const error: FieldError = {
      type: 'FieldValueInvalid',
      field: 'metadata.resourceVersion',
      message: 'Invalid value: 0: must be specified for an update',
    };
    throw invalid({ group: info.group, kind: info.resource }, request.name, [error]);
  }
  if (resourceVersion === String(current.revision)) return true;
  const revision = Number(resourceVersion);
  if (!/^\d+$/.test(resourceVersion) || revision >= 2 ** 64) {
    throw plainError(unsignedProblem(resourceVersion));
  }
  throw conflict(info, request.name);
}

/** What the server set is taken over where the client left it out, for admission to see. */
function fillFromOld(object: UnknownObject, old: UnknownObject): void {
  const { metadata } = object;
  const { uid, creationTimestamp } = old.metadata;
  if (uid !== undefined && (metadata.uid ?? '') === '') metadata.uid = uid;
  if (creationTimestamp !== undefined) metadata.creationTimestamp ??= creationTimestamp;
}
