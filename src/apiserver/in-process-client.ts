import { setImmediate as nextTurn } from 'node:timers/promises';

import { ApiStatusError } from '#base/api-status-error.ts';
import type { DeletedStatus } from '#base/api-status-error.ts';
import type {
  Client,
  DeleteOptions as ClientDeleteOptions,
  GetOptions,
  ListOptions as ClientListOptions,
  ObjectList,
  Patch,
  RawRequest,
  RawResponse,
  WatchEvent,
  WatchOptions as ClientWatchOptions,
  WriteOptions as ClientWriteOptions,
} from '#client/mod.ts';
import type { GroupVersionResource, KubeObject, UnknownObject } from '#schema/mod.ts';
import { conform } from '#schema/mod.ts';
import { listMetadata } from './answers/list-answer.ts';
import { methodNotAllowed, plainError, qualified } from './api-errors.ts';
import type { CacheEntry } from './cache/mod.ts';
import type { Core } from './core.ts';
import { createObject } from './handlers/create.ts';
import { deleteCollection } from './handlers/delete-collection.ts';
import type { DeleteOptions } from './handlers/delete-options.ts';
import { deletedStatus, deleteObject } from './handlers/delete.ts';
import { getObject } from './handlers/get.ts';
import { defaultListOptions } from './handlers/list-options.ts';
import { listObjects } from './handlers/list.ts';
import { applyDecodedPatch } from './handlers/patch.ts';
import type { DecodedPatch } from './handlers/decoded-patch.ts';
import { getScale, patchScaleWith, replaceScale } from './handlers/scale.ts';
import { updateObject } from './handlers/update.ts';
import { watchObjects } from './handlers/watch.ts';
import type { WriteOptions } from './handlers/write-options.ts';
import { MemoryExchange } from './http/memory-exchange.ts';
import { copyJson } from './json-copy.ts';
import { beginInside } from './pipeline/inside-request.ts';
import type { InsidePassage } from './pipeline/inside-request.ts';
import { checkType, typeOf } from './pipeline/read-object.ts';
import type { RequestPipeline } from './pipeline/request-pipeline.ts';
import type { ResourceRequestContext, UserInfo } from './request.ts';
import type { ServedResource } from './resource-registry.ts';
import { prepareEntries, servedObject } from './resource-registry.ts';
import { watchEvents } from './watch-events.ts';

/** Objects made from bytes before other work gets a turn: a few milliseconds. */
const objectsPerTurn = 100;
const neverAborted = new AbortController().signal;

export interface InProcessClientOptions {
  /** Asked at each call. */
  target: () => { core: Core; pipeline: RequestPipeline };
  user: UserInfo;
  /** Names the field manager of writes that name none: the part before a slash. */
  userAgent: string;
  /** A part of the server: what it may do is not asked. */
  isTrusted?: boolean | undefined;
}

interface Target {
  verb: string;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
  signal?: AbortSignal | undefined;
  dryRun?: boolean | undefined;
  isApply?: boolean | undefined;
  body?: unknown;
}

/** What is answered: `shown` is the body of the answer when it is not the value itself. */
interface Result<T> {
  readonly code?: number;
  readonly value: T;
  readonly shown?: () => unknown;
}

type Work<T> = (
  served: ServedResource,
  context: ResourceRequestContext,
  core: Core,
) => Promise<Result<T>>;

/**
 * The Client of components in this process: the pipeline's steps without HTTP and without turning
 * objects into text and back. Reads hand out the cache's own objects.
 */
export class InProcessClient implements Client {
  readonly #options: InProcessClientOptions;

  constructor(options: InProcessClientOptions) {
    this.#options = options;
  }

  get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    options: GetOptions = {},
  ): Promise<T> {
    const { namespace = '', subresource = '', resourceVersion } = options;
    return this.#run(resource, { verb: 'get', name, ...options }, async (served, _, core) => {
      if (subresource === 'scale') {
        return { value: (await getScale(core, served, namespace, name)) as KubeObject as T };
      }
      return await result<T>(
        served,
        await getObject(core, served, namespace, name, resourceVersion),
      );
    });
  }

  list<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ClientListOptions = {},
  ): Promise<ObjectList<T>> {
    return this.#run(resource, { verb: 'list', ...options }, async (served, _, core) => {
      const page = await listObjects(core, served, options.namespace ?? '', '', {
        ...defaultListOptions,
        labelSelector: options.labelSelector ?? '',
        fieldSelector: options.fieldSelector ?? '',
        limit: options.limit ?? 0,
        continueToken: options.continue ?? '',
        resourceVersion: options.resourceVersion ?? '',
        resourceVersionMatch: options.resourceVersionMatch ?? '',
      });
      await prepareEntries(served, page.entries);
      const items = await listedObjects<T>(served, page.entries);
      const value = { metadata: listMetadata(page), items };
      const { kind, group, version } = served.info;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      return { value, shown: () => ({ kind: `${kind}List`, apiVersion, ...value }) };
    });
  }

  async *watch<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ClientWatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const { passage, served, core } = await this.#begin(resource, { verb: 'watch', ...options });
    try {
      const session = await watchObjects(core, served, options.namespace ?? '', '', {
        ...defaultListOptions,
        labelSelector: options.labelSelector ?? '',
        fieldSelector: options.fieldSelector ?? '',
        resourceVersion: options.resourceVersion ?? '',
        resourceVersionMatch: options.sendInitialEvents === undefined ? '' : 'NotOlderThan',
        allowWatchBookmarks: options.allowWatchBookmarks ?? false,
        sendInitialEvents: options.sendInitialEvents,
        timeoutSeconds: options.timeoutSeconds,
      });
      passage.started();
      yield* watchEvents<T>(session, options.signal ?? neverAborted);
    } catch (error) {
      throw passage.failed(error);
    } finally {
      passage.succeeded(200);
    }
  }

  create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: ClientWriteOptions & { name?: string | undefined } = {},
  ): Promise<T> {
    const { subresource = '' } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const name = options.name ?? '';
    const target = { verb: 'create', ...options, namespace, name, body: object };
    return this.#run(resource, target, async (served, context, core) => {
      const key = qualified(served.info);
      const virtual = core.virtual.get(subresource === '' ? key : `${key}/${subresource}`);
      if (virtual !== undefined) {
        const made = await virtual(copyJson(object) as UnknownObject, context);
        return { code: 201, value: made as KubeObject as T };
      }
      if (subresource !== '') throw methodNotAllowed(served.info, 'create');
      const entry = await createObject({
        core,
        served,
        context,
        options: writeOptions(options),
        object: fresh(served, object),
      });
      return await result<T>(served, entry, 201);
    });
  }

  update<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    const { subresource = '' } = options;
    const { name } = object.metadata;
    const namespace = options.namespace ?? object.metadata.namespace;
    const target = { verb: 'update', ...options, namespace, name, body: object };
    return this.#run(resource, target, async (served, context, core) => {
      const request = { core, served, context, options: writeOptions(options), name, subresource };
      if (subresource === 'scale') {
        const scale = copyJson(object) as KubeObject as UnknownObject;
        return { value: (await replaceScale(request, scale)) as KubeObject as T };
      }
      const change = (): UnknownObject => fresh(served, object);
      const { entry, isCreated } = await updateObject({ ...request, change, isReplace: true });
      return await result<T>(served, entry, isCreated ? 201 : 200);
    });
  }

  patch<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    patch: Patch,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    const { subresource = '', namespace = '' } = options;
    const isApply = patch.type === 'apply';
    const target = { verb: 'patch', name, ...options, isApply, body: patch.body };
    return this.#run(resource, target, async (served, context, core) => {
      const force = patch.type === 'apply' ? (patch.force ?? false) : undefined;
      const request = {
        core,
        served,
        context,
        options: { ...writeOptions(options), force },
        name,
        subresource,
      };
      const decoded = decodedPatch(served, patch);
      return await core.locks.run(`${served.info.storagePrefix}${namespace}/${name}`, async () => {
        if (subresource === 'scale') {
          return { value: (await patchScaleWith(request, decoded)) as KubeObject as T };
        }
        const { entry, isCreated } = await applyDecodedPatch(request, decoded);
        return await result<T>(served, entry, isCreated ? 201 : 200);
      });
    });
  }

  delete(
    resource: GroupVersionResource,
    name: string,
    options: ClientDeleteOptions = {},
  ): Promise<KubeObject | DeletedStatus> {
    const { namespace = '' } = options;
    const target = { verb: 'delete', name, ...options };
    return this.#run<KubeObject | DeletedStatus>(
      resource,
      target,
      async (served, context, core) => {
        const request = { core, served, context, namespace, name, options: deleteOptions(options) };
        const { entry, isRemoved } = await deleteObject(request);
        if (!isRemoved || served.hooks.returnsDeleted === true) return await result(served, entry);
        return { value: deletedStatus(served, entry) };
      },
    );
  }

  async deleteCollection(
    resource: GroupVersionResource,
    options: ClientDeleteOptions & { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<void> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = options;
    const target = { verb: 'deletecollection', ...options };
    await this.#run(resource, target, async (served, context, core) => {
      const request = { core, served, context, namespace, options: deleteOptions(options) };
      await deleteCollection(request, { ...defaultListOptions, labelSelector, fieldSelector });
      return { value: undefined };
    });
  }

  async raw(request: RawRequest): Promise<RawResponse> {
    const exchange = new MemoryExchange(request, this.#options.userAgent);
    await this.#options.target().pipeline.handleAs(exchange, this.#options.user);
    return await exchange.response;
  }

  async #run<T>(resource: GroupVersionResource, target: Target, work: Work<T>): Promise<T> {
    const { passage, served, core } = await this.#begin(resource, target);
    try {
      const { code = 200, value, shown } = await work(served, passage.context, core);
      passage.succeeded(code, shown ?? (() => value));
      return value;
    } catch (error) {
      throw passage.failed(error);
    }
  }

  async #begin(
    resource: GroupVersionResource,
    target: Target,
  ): Promise<{ passage: InsidePassage; served: ServedResource; core: Core }> {
    const { user, userAgent, isTrusted = false } = this.#options;
    const { core, pipeline } = this.#options.target();
    const served = core.registry.byResource(resource);
    if (served === undefined) throw plainNotFound();
    const { group, version, resource: plural } = resource;
    const { verb, namespace = '', name = '', subresource = '', signal } = target;
    const passage = await beginInside(core, pipeline.watchers, {
      served,
      info: {
        isResourceRequest: true,
        verb,
        path: '',
        group,
        version,
        resource: plural,
        subresource,
        namespace: plural === 'namespaces' && namespace === '' ? name : namespace,
        name,
        rest: '',
      },
      user,
      isTrusted,
      userAgent,
      isDryRun: target.dryRun,
      isApply: target.isApply,
      body: target.body,
      signal: () => signal ?? neverAborted,
    });
    return { passage, served, core };
  }
}

async function result<T extends KubeObject>(
  served: ServedResource,
  entry: CacheEntry,
  code = 200,
): Promise<Result<T>> {
  await prepareEntries(served, [entry]);
  return { code, value: servedObject(served, entry) as KubeObject as T };
}

/** Objects that are not in memory are made from bytes; others get their turn in between. */
async function listedObjects<T extends KubeObject>(
  served: ServedResource,
  entries: readonly CacheEntry[],
): Promise<T[]> {
  const items: T[] = [];
  const isInMemory = served.cache?.isComplete !== false;
  for (const entry of entries) {
    const count = items.push(servedObject(served, entry) as KubeObject as T);
    if (!isInMemory && count % objectsPerTurn === 0) await nextTurn();
  }
  return items;
}

/** A copy of the caller's object that the pipeline may keep, checked like a body. */
function fresh(served: ServedResource, object: KubeObject): UnknownObject {
  const { typeName } = served.info;
  const copy = copyJson(object) as UnknownObject;
  const conformed =
    served.custom === undefined
      ? conform(copy, typeName === '' ? undefined : typeName, 'Ignore').object
      : served.custom.decode(copy, 'Ignore').object;
  checkType(conformed, typeOf(served.info));
  return conformed;
}

function plainNotFound(): ApiStatusError {
  return new ApiStatusError({
    httpCode: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });
}

function writeOptions(options: ClientWriteOptions): WriteOptions {
  return {
    dryRun: options.dryRun ?? false,
    fieldManager: options.fieldManager ?? '',
    fieldValidation: options.fieldValidation ?? 'Ignore',
    force: undefined,
  };
}

function deleteOptions(options: ClientDeleteOptions): DeleteOptions {
  return {
    gracePeriodSeconds: options.gracePeriodSeconds,
    propagationPolicy: options.propagationPolicy,
    orphanDependents: undefined,
    preconditions: options.preconditions ?? {},
    dryRun: options.dryRun ?? false,
  };
}

function decodedPatch(served: ServedResource, patch: Patch): DecodedPatch {
  if (patch.type === 'json') return { type: 'json', operations: patch.body };
  if (patch.type !== 'apply') return { type: patch.type, body: patch.body };
  const body = copyJson(patch.body) as UnknownObject;
  checkType(body, typeOf(served.info));
  if (body.metadata === undefined) throw plainError('an applied object needs metadata');
  return { type: 'apply', body };
}
