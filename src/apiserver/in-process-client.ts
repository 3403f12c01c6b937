import { ApiStatusError } from '#base/api-status-error.ts';
import type { StatusBody } from '#base/api-status-error.ts';
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
import type { Core } from './core.ts';
import { createObject } from './handlers/create.ts';
import { deleteCollection } from './handlers/delete-collection.ts';
import type { DeleteOptions } from './handlers/delete-options.ts';
import { deletedStatus, deleteObject } from './handlers/delete.ts';
import { getObject } from './handlers/get.ts';
import { defaultListOptions } from './handlers/list-options.ts';
import { listObjects } from './handlers/list.ts';
import { applyDecodedPatch } from './handlers/patch.ts';
import type { DecodedPatch } from './handlers/patch.ts';
import { getScale, patchScaleWith, replaceScale } from './handlers/scale.ts';
import { updateObject } from './handlers/update.ts';
import { watchObjects } from './handlers/watch.ts';
import type { WriteOptions } from './handlers/write-options.ts';
import { MemoryExchange } from './http/memory-exchange.ts';
import { copyJson } from './json-copy.ts';
import { authorize } from './pipeline/authorize.ts';
import { checkType, typeOf } from './pipeline/read-object.ts';
import { createResourceContext } from './pipeline/request-context.ts';
import type { RequestPipeline } from './pipeline/request-pipeline.ts';
import type { ResourceRequestContext, UserInfo } from './request.ts';
import type { ServedResource } from './resource-registry.ts';
import { prepareEntries, servedObject } from './resource-registry.ts';
import { watchEvents } from './watch-events.ts';

const neverAborted = new AbortController().signal;

export interface InProcessClientOptions {
  /** Asked at each call. */
  target: () => { core: Core; pipeline: RequestPipeline };
  user: UserInfo;
  /** Names the field manager of writes that name none: the part before a slash. */
  userAgent: string;
}

interface Target {
  verb: string;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The Client of components in this process: the pipeline's steps without HTTP and without turning
 * objects into text and back. Reads hand out the cache's own objects.
 */
export class InProcessClient implements Client {
  readonly #options: InProcessClientOptions;

  constructor(options: InProcessClientOptions) {
    this.#options = options;
  }

  async get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    options: GetOptions = {},
  ): Promise<T> {
    const { core } = this.#options.target();
    const { namespace = '', subresource = '', resourceVersion } = options;
    const { served } = await this.#begin(resource, { verb: 'get', name, ...options });
    if (subresource === 'scale')
      return (await getScale(core, served, namespace, name)) as KubeObject as T;
    const entry = await getObject(core, served, namespace, name, resourceVersion);
    await prepareEntries(served, [entry]);
    return servedObject(served, entry) as KubeObject as T;
  }

  async list<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ClientListOptions = {},
  ): Promise<ObjectList<T>> {
    const { core } = this.#options.target();
    const { served } = await this.#begin(resource, { verb: 'list', ...options });
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
    const items = page.entries.map((entry) => servedObject(served, entry) as KubeObject as T);
    return { metadata: listMetadata(page), items };
  }

  async *watch<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ClientWatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const { core } = this.#options.target();
    const { served } = await this.#begin(resource, { verb: 'watch', ...options });
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
    yield* watchEvents<T>(session, options.signal ?? neverAborted);
  }

  async create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: ClientWriteOptions & { name?: string | undefined } = {},
  ): Promise<T> {
    const { core } = this.#options.target();
    const { subresource = '' } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const name = options.name ?? '';
    const target = { verb: 'create', ...options, namespace, name };
    const { served, context } = await this.#begin(resource, target);
    const key = qualified(served.info);
    const virtual = core.virtual.get(subresource === '' ? key : `${key}/${subresource}`);
    if (virtual !== undefined) {
      return (await virtual(copyJson(object) as UnknownObject, context)) as KubeObject as T;
    }
    if (subresource !== '') throw methodNotAllowed(served.info, 'create');
    const entry = await createObject({
      core,
      served,
      context,
      options: writeOptions(options),
      object: this.#fresh(served, object),
    });
    await prepareEntries(served, [entry]);
    return servedObject(served, entry) as KubeObject as T;
  }

  async update<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    const { core } = this.#options.target();
    const { subresource = '' } = options;
    const { name } = object.metadata;
    const namespace = options.namespace ?? object.metadata.namespace;
    const target = { verb: 'update', ...options, namespace, name };
    const { served, context } = await this.#begin(resource, target);
    const request = { core, served, context, options: writeOptions(options), name, subresource };
    if (subresource === 'scale') {
      const scale = copyJson(object) as KubeObject as UnknownObject;
      return (await replaceScale(request, scale)) as KubeObject as T;
    }
    const { entry } = await updateObject({ ...request, change: () => this.#fresh(served, object) });
    await prepareEntries(served, [entry]);
    return servedObject(served, entry) as KubeObject as T;
  }

  async patch<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    patch: Patch,
    options: ClientWriteOptions = {},
  ): Promise<T> {
    const { core } = this.#options.target();
    const { subresource = '', namespace = '' } = options;
    const { served, context } = await this.#begin(resource, { verb: 'patch', name, ...options });
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
      if (subresource === 'scale')
        return (await patchScaleWith(request, decoded)) as KubeObject as T;
      const { entry } = await applyDecodedPatch(request, decoded);
      await prepareEntries(served, [entry]);
      return servedObject(served, entry) as KubeObject as T;
    });
  }

  async delete(
    resource: GroupVersionResource,
    name: string,
    options: ClientDeleteOptions = {},
  ): Promise<KubeObject | StatusBody> {
    const { core } = this.#options.target();
    const { namespace = '' } = options;
    const { served, context } = await this.#begin(resource, { verb: 'delete', name, ...options });
    const request = { core, served, context, namespace, name, options: deleteOptions(options) };
    const { entry, isRemoved } = await deleteObject(request);
    if (isRemoved && served.hooks.returnsDeleted !== true) return deletedStatus(served, entry);
    await prepareEntries(served, [entry]);
    return servedObject(served, entry);
  }

  async deleteCollection(
    resource: GroupVersionResource,
    options: ClientDeleteOptions & { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<void> {
    const { core } = this.#options.target();
    const { namespace = '', labelSelector = '', fieldSelector = '' } = options;
    const target = { verb: 'deletecollection', ...options };
    const { served, context } = await this.#begin(resource, target);
    await deleteCollection(
      { core, served, context, namespace, options: deleteOptions(options) },
      { ...defaultListOptions, labelSelector, fieldSelector },
    );
  }

  async raw(request: RawRequest): Promise<RawResponse> {
    const exchange = new MemoryExchange(request, this.#options.userAgent);
    await this.#options.target().pipeline.handleAs(exchange, this.#options.user);
    return await exchange.response;
  }

  async #begin(
    resource: GroupVersionResource,
    target: Target,
  ): Promise<{ served: ServedResource; context: ResourceRequestContext }> {
    const { user, userAgent } = this.#options;
    const { core } = this.#options.target();
    const served = core.registry.byResource(resource);
    if (served === undefined) throw plainNotFound();
    const { group, version, resource: plural } = resource;
    const { namespace = '', name = '', subresource = '' } = target;
    const context = createResourceContext({
      info: {
        isResourceRequest: true,
        verb: target.verb,
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
      query: '',
      userAgent,
      random: core.random,
      signal: () => target.signal ?? neverAborted,
      resource: served.info,
    });
    await authorize(core.authorizer, context);
    return { served, context };
  }

  /** A copy of the caller's object that the pipeline may keep, checked like a body. */
  #fresh(served: ServedResource, object: KubeObject): UnknownObject {
    const { typeName } = served.info;
    const copy = copyJson(object) as UnknownObject;
    const conformed =
      served.custom === undefined
        ? conform(copy, typeName === '' ? undefined : typeName, 'Ignore').object
        : served.custom.decode(copy, 'Ignore').object;
    checkType(conformed, typeOf(served.info));
    return conformed;
  }
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
