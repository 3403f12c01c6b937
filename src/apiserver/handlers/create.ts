import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { nameSuffix } from '#base/random.ts';
import { traced, traceMark } from '#base/trace.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { trackUpdate } from '#schema/apply/mod.ts';
import { prepareForCreate } from '#schema/strategy/mod.ts';
import { alreadyExists, generateNameConflict, invalid, plainError } from '../api-errors.ts';
import type { AdmissionAttributes } from '../admission/plugin.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { admissionAttributes, hookScope, subjectOf, withUndo } from '../pipeline/write-scope.ts';
import type { WriteScope } from '../pipeline/write-scope.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { KeyTaken } from '../storage/object-store.ts';
import { trialEntry } from '../storage/trial-entry.ts';
import { mutateKeepingManagers } from './admitted-owners.ts';
import { currentEntry, readyCache } from './get.ts';
import {
  afterMutation,
  findErrors,
  refuseWhileTerminating,
  storedForm,
  typesOf,
  withDefaults,
} from './kind-steps.ts';
import { dropRepeatedOwners } from './repeated-owners.ts';
import type { WriteOptions } from './write-options.ts';
import { checkName, checkNamespace, managerOf } from './write-options.ts';

/** Attempts at a free name for generateName. */
const nameAttempts = 8;
/** Longest part of generateName that is kept, so that the suffix fits into 63 characters. */
const longestGenerateName = 58;

export interface CreateRequest {
  core: Core;
  served: ServedResource;
  context: ResourceRequestContext;
  options: WriteOptions;
  /** Belongs to the request: it is changed in place and becomes the stored object. */
  object: UnknownObject;
  /** Managed fields were set already (server-side apply of a new object). */
  isApplied?: boolean;
}

/**
 * Creates an object: default, managed fields, mutate, strategy, kind hook, validate, validating
 * admission, commit. Throws AlreadyExists, Invalid, Forbidden, BadRequest.
 */
export async function createObject(request: CreateRequest): Promise<CacheEntry> {
  const { core, served, context, options } = request;
  const { info } = served;
  const cache = await readyCache(core, served, 'create');
  refuseWhileTerminating(served);
  let { object } = request;
  const { namespace } = context.info;
  checkName(object.metadata.name, context.info.name);
  wipeSystemFields(object);
  if (info.namespaced) {
    checkNamespace(object.metadata.namespace, namespace);
    object.metadata.namespace = namespace;
  } else {
    delete object.metadata.namespace;
  }
  const generateName = nameObject(object, context.info.name);
  let scope: WriteScope = {
    context,
    served,
    namespace,
    name: object.metadata.name ?? '',
    subresource: '',
    options,
    nowMs: core.clock.now(),
  };
  dropRepeatedOwners(context, object, 'before');
  object = withDefaults(served, object);
  traceMark('write.default', () => subjectOf(scope));
  if (request.isApplied !== true) {
    object = trackUpdate({
      old: undefined,
      object,
      manager: managerOf(options, context.userAgent),
      operation: 'Update',
      info,
      subresource: '',
      nowMs: scope.nowMs,
      ...typesOf(served),
    });
  }
  const attributes = admissionAttributes(scope, 'CREATE', object, undefined);
  await traced('write.mutate', {}, () => mutateKeepingManagers(core.admission, attributes));
  object = afterMutation(served, attributes.object ?? object, object);
  if (info.namespaced) {
    checkNamespace(object.metadata.namespace, namespace);
    object.metadata.namespace = namespace;
  }
  dropRepeatedOwners(context, object, 'after');
  const hasVersion = namesVersion(object);
  if (generateName === undefined || (object.metadata.name ?? '') !== '') {
    return await createNamed(request, cache, { scope, object, attributes, hasVersion });
  }
  for (let attempt = 1; ; attempt++) {
    object.metadata.name = generatedName(core, generateName);
    scope = { ...scope, name: object.metadata.name };
    try {
      return await createNamed(request, cache, { scope, object, attributes, hasVersion });
    } catch (error) {
      if (attempt === nameAttempts || !hasReason(error, 'AlreadyExists')) throw error;
    }
  }
}

interface AdmittedObject {
  scope: WriteScope;
  object: UnknownObject;
  attributes: AdmissionAttributes;
  /** The request named a version, which no new object has. */
  hasVersion: boolean;
}

/** From a name on: what depends on it, as other objects that carry it, goes when it is taken. */
async function createNamed(
  { core, served, context, options }: CreateRequest,
  cache: PrefixCache,
  { scope, object, attributes, hasVersion }: AdmittedObject,
): Promise<CacheEntry> {
  const { info } = served;
  fillSystemFields(core, object, scope.nowMs);
  prepareForCreate(info, object);
  traceMark('write.prepare', () => subjectOf(scope));
  const undo = await served.hooks.beforeCreate?.(object, hookScope(scope));
  return await withUndo(undo, options.dryRun, async () => {
    const errors = findErrors(scope, object);
    if (errors.length > 0) throw invalid(info, object.metadata.name ?? '', errors);
    traceMark('write.check', () => subjectOf(scope));
    attributes.object = object;
    await traced('write.validate', {}, () => core.admission.validate(attributes));
    addWarnings(context, served.hooks.warnings?.(object, undefined));
    if (hasVersion && !options.dryRun) {
      throw plainError('resourceVersion should not be set on objects to be created');
    }
    const entry = await commit(core, cache, served, scope, object);
    if (options.dryRun) return entry;
    await served.hooks.afterWrite?.(entry.object(), undefined, hookScope(scope));
    return entry;
  });
}

export function addWarnings(
  context: ResourceRequestContext,
  texts: readonly string[] | undefined,
): void {
  for (const text of texts ?? []) context.warnings.add(text);
}

/**
 * Gives the object its name, or returns the base of the one to be generated, which mutating
 * admission does not get to see.
 */
function nameObject(object: UnknownObject, urlName: string): string | undefined {
  const { metadata } = object;
  if (metadata.name !== undefined && metadata.name !== '') return undefined;
  if (urlName !== '') {
    metadata.name = urlName;
    return undefined;
  }
  const { generateName } = metadata;
  if (generateName === undefined || generateName === '') {
    metadata.name = '';
    return undefined;
  }
  return generateName;
}

function generatedName(core: Core, generateName: string): string {
  return generateName.slice(0, longestGenerateName) + nameSuffix(core.random);
}

/** What only the server sets is not taken from a request, before anybody gets to see it. */
function wipeSystemFields({ metadata }: UnknownObject): void {
  delete metadata.uid;
  delete metadata.creationTimestamp;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete (metadata as { selfLink?: string }).selfLink;
}

/** Text that is no number is forgotten, as upstream does. */
function namesVersion({ metadata }: UnknownObject): boolean {
  const { resourceVersion = '' } = metadata;
  delete metadata.resourceVersion;
  return /^\d+$/.test(resourceVersion) && Number(resourceVersion) > 0;
}

function fillSystemFields(core: Core, { metadata }: UnknownObject, nowMs: number): void {
  metadata.uid = core.random.uuid();
  metadata.creationTimestamp = formatTime(nowMs);
}

async function commit(
  core: Core,
  cache: PrefixCache,
  served: ServedResource,
  scope: WriteScope,
  object: UnknownObject,
): Promise<CacheEntry> {
  const { info } = served;
  const stored = await storedForm(served, object);
  const { name, generateName = '' } = stored.metadata;
  const key = cache.keyOf(scope.namespace, name);
  try {
    const { dryRun } = scope.options;
    const taken = dryRun ? await currentEntry(core, cache, key) : cache.get(key);
    if (taken !== undefined) throw new KeyTaken(key);
    if (dryRun) return trialEntry(cache, key, stored, 0);
    const subject = { key: key.slice('/registry/'.length), uid: stored.metadata.uid };
    return await traced('write.store', subject, () =>
      core.store.create(cache, key, stored, timeToLive(core, info.resource)),
    );
  } catch (error) {
    if (!(error instanceof KeyTaken)) throw error;
    const there = await currentEntry(core, cache, key);
    const isGoing = there?.object().metadata.deletionTimestamp !== undefined;
    // upstream goes by the field, even when the request said the name
    const failure = generateName === '' ? alreadyExists : generateNameConflict;
    throw failure(info, name, isGoing);
  }
}

/** Events live an hour, as with upstream's --event-ttl. */
export function timeToLive(core: Core, resource: string): number | undefined {
  return resource === 'events' ? (core.eventTtlSeconds ?? 3600) : undefined;
}
