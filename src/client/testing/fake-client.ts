import type { DeletedStatus } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import type { Random } from '#base/random.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import type { GroupVersionResource, KubeObject, UnknownObject } from '#schema/mod.ts';
import type {
  Client,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ObjectList,
  Patch,
  RawRequest,
  RawResponse,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../client.ts';
import { objectKey } from '../object-key.ts';
import { fakeErrors } from './fake-errors.ts';
import { patched } from './fake-patch.ts';
import { created, deleted, isGone, sameJson, updated } from './fake-rules.ts';
import { createFakeStore } from './fake-store.ts';
import { createSubresource, scaleOf, withScale } from './fake-subresources.ts';
import { isSelected } from './selection.ts';

/** A write that a client asked for. */
export interface FakeAction {
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string | undefined;
  /** The object, patch or delete options as sent. */
  readonly body: unknown;
}

/** Looks at a write before it is done; an error it returns is what the writer gets. */
export type Interceptor = (action: FakeAction) => Error | undefined;

/** What tests can do beside being a client. */
export interface FakeClient extends Client {
  /** Stores objects as they are, status included, as if they had always been there. */
  add(...objects: KubeObject[]): void;
  /** Replaces what is stored by what `change` makes of a copy; status included. */
  modify<T extends KubeObject>(
    resource: GroupVersionResource,
    key: string,
    change: (object: T) => T,
  ): T;
  /** Takes an object out at once, whatever its finalizers. */
  remove(resource: GroupVersionResource, key: string): void;
  stored<T extends KubeObject>(
    resource: GroupVersionResource,
    key: string,
  ): Readonly<T> | undefined;
  all<T extends KubeObject>(resource: GroupVersionResource): T[];
  /** Writes since the start or the last clearActions, failed ones included. */
  readonly actions: readonly FakeAction[];
  clearActions(): void;
  /** Returns the remover. */
  intercept(interceptor: Interceptor): () => void;
  /** Watches from versions before now fail with 410. */
  expireHistory(): void;
  /** Ends all open watches, with an error when one is given. */
  endWatches(error?: Error): void;
}

/**
 * An API server in memory, for tests of what uses a Client: versions and conflicts, generateName,
 * uid, finalizers, graceful deletion of pods, status, scale, binding, eviction and finalize
 * subresources, selectors, watches with resume and 410. No defaults, validation, admission or
 * authorization. Objects handed out are frozen: changing one throws.
 */
export function createFakeClient(
  options: { clock?: Clock; random?: Random; objects?: readonly KubeObject[] } = {},
): FakeClient {
  const client = new InMemoryClient(
    options.clock ?? new FakeClock(),
    options.random ?? seededRandom(1),
  );
  client.add(...(options.objects ?? []));
  return client;
}

const namespaces: GroupVersionResource = { group: '', version: 'v1', resource: 'namespaces' };

class InMemoryClient implements FakeClient {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #store = createFakeStore();
  readonly #interceptors = new Set<Interceptor>();
  #actions: FakeAction[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  async get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    options: GetOptions = {},
  ): Promise<T> {
    const live = this.#find(resource, name, options.namespace);
    return (options.subresource === 'scale' ? scaleOf(live) : live) as unknown as T;
  }

  async list<T extends KubeObject>(
    resource: GroupVersionResource,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const items = this.#select(resource, options);
    return { metadata: { resourceVersion: String(this.#store.version) }, items: items as T[] };
  }

  watch<T extends KubeObject>(
    resource: GroupVersionResource,
    options: WatchOptions = {},
  ): AsyncIterable<WatchEvent<T>> {
    return this.#store.watch(resource, options) as unknown as AsyncIterable<WatchEvent<T>>;
  }

  async create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: WriteOptions & { name?: string | undefined } = {},
  ): Promise<T> {
    const { subresource, dryRun } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const name = options.name ?? object.metadata.name ?? '';
    this.#record('create', resource, { namespace, name, subresource }, object);
    if (subresource !== undefined) {
      const live = this.#find(resource, name, namespace);
      return createSubresource({
        live,
        body: object as UnknownObject,
        subresource,
        clock: this.#clock,
        put: (next) => this.#save(resource, live, next, dryRun),
        remove: () => void this.#erase(resource, live, {}),
      }) as T;
    }
    const next = this.#made(resource, object, namespace);
    const home = this.#store.get(namespaces, namespace ?? '');
    if (home?.metadata.deletionTimestamp !== undefined) {
      throw fakeErrors.namespaceTerminating(resource, next.metadata.name, namespace ?? '');
    }
    if (this.#store.get(resource, objectKey(next)) !== undefined) {
      throw fakeErrors.alreadyExists(resource, next.metadata.name);
    }
    return (dryRun === true ? next : this.#store.put(resource, next)) as T;
  }

  async update<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const { subresource } = options;
    const namespace = options.namespace ?? object.metadata.namespace;
    const { name } = object.metadata;
    this.#record('update', resource, { namespace, name, subresource }, object);
    return this.#replace(resource, object as UnknownObject, options) as T;
  }

  async patch<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const { namespace, subresource } = options;
    this.#record('patch', resource, { namespace, name, subresource }, patch.body);
    const isNew = this.#store.get(resource, keyOf(namespace, name)) === undefined;
    if (patch.type === 'apply' && isNew) {
      const next = this.#made(resource, patch.body as KubeObject, namespace);
      return this.#store.put(resource, next) as T;
    }
    const live = this.#find(resource, name, namespace);
    const target = subresource === 'scale' ? scaleOf(live) : live;
    return this.#replace(resource, patched(target, patch), options) as T;
  }

  async delete(
    resource: GroupVersionResource,
    name: string,
    options: DeleteOptions = {},
  ): Promise<KubeObject | DeletedStatus> {
    const { namespace } = options;
    this.#record('delete', resource, { namespace, name, subresource: undefined }, options);
    return this.#erase(resource, this.#find(resource, name, namespace), options);
  }

  async deleteCollection(
    resource: GroupVersionResource,
    options: DeleteOptions & { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<void> {
    const about = { namespace: options.namespace, name: '', subresource: undefined };
    this.#record('deletecollection', resource, about, options);
    for (const item of this.#select(resource, options)) {
      this.#erase(resource, item as UnknownObject, options);
    }
  }

  async raw({ path }: RawRequest): Promise<RawResponse> {
    const isReady = path === '/readyz';
    const body = Buffer.from(isReady ? 'ok' : '404 page not found');
    return { status: isReady ? 200 : 404, headers: {}, body };
  }

  add(...objects: KubeObject[]): void {
    for (const object of objects) {
      const copy = structuredClone(object);
      copy.metadata.uid ??= this.#random.uuid();
      copy.metadata.creationTimestamp ??= formatTime(this.#clock.now());
      this.#store.put(resourceOf(object), copy);
    }
  }

  modify<T extends KubeObject>(
    resource: GroupVersionResource,
    key: string,
    change: (object: T) => T,
  ): T {
    const live = this.#store.get(resource, key);
    if (live === undefined) throw fakeErrors.notFound(resource, key);
    return this.#store.put(resource, change(structuredClone(live) as T)) as T;
  }

  remove(resource: GroupVersionResource, key: string): void {
    this.#store.remove(resource, key);
  }

  stored<T extends KubeObject>(
    resource: GroupVersionResource,
    key: string,
  ): Readonly<T> | undefined {
    return this.#store.get(resource, key) as T | undefined;
  }

  all<T extends KubeObject>(resource: GroupVersionResource): T[] {
    return this.#store.list(resource) as T[];
  }

  get actions(): readonly FakeAction[] {
    return this.#actions;
  }

  clearActions(): void {
    this.#actions = [];
  }

  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => void this.#interceptors.delete(interceptor);
  }

  expireHistory(): void {
    this.#store.expireHistory();
  }

  endWatches(error?: Error): void {
    this.#store.endWatches(error);
  }

  #record(
    verb: FakeAction['verb'],
    resource: GroupVersionResource,
    about: Pick<FakeAction, 'namespace' | 'name' | 'subresource'>,
    body: unknown,
  ): void {
    const action: FakeAction = { verb, resource: resource.resource, ...about, body };
    this.#actions.push(action);
    for (const interceptor of this.#interceptors) {
      const error = interceptor(action);
      if (error !== undefined) throw error;
    }
  }

  #find(
    resource: GroupVersionResource,
    name: string,
    namespace: string | undefined,
  ): UnknownObject {
    const found = this.#store.get(resource, keyOf(namespace, name));
    if (found === undefined) throw fakeErrors.notFound(resource, name);
    return found as UnknownObject;
  }

  #select(resource: GroupVersionResource, options: ListOptions): KubeObject[] {
    const { namespace } = options;
    return this.#store
      .list(resource)
      .filter((item) => namespace === undefined || item.metadata.namespace === namespace)
      .filter((item) => isSelected(item, options));
  }

  #made(
    resource: GroupVersionResource,
    wanted: KubeObject,
    namespace: string | undefined,
  ): UnknownObject {
    const context = { clock: this.#clock, random: this.#random, namespace };
    return created(resource.resource, wanted as UnknownObject, context);
  }

  #replace(
    resource: GroupVersionResource,
    wanted: UnknownObject,
    options: WriteOptions,
  ): KubeObject {
    const { subresource, dryRun } = options;
    const { name, namespace, resourceVersion = '', uid } = wanted.metadata;
    const live = this.#find(resource, name, options.namespace ?? namespace);
    const isStale = resourceVersion !== '' && resourceVersion !== live.metadata.resourceVersion;
    if (isStale || (uid !== undefined && uid !== live.metadata.uid)) {
      throw fakeErrors.conflict(resource, name);
    }
    if (subresource === 'scale') {
      return scaleOf(this.#save(resource, live, withScale(live, wanted), dryRun) as UnknownObject);
    }
    const next = updated(resource.resource, live, wanted, subresource);
    return this.#save(resource, live, next, dryRun);
  }

  /** Stores the result of an update unless nothing changed, and removes what is gone by it. */
  #save(
    resource: GroupVersionResource,
    live: UnknownObject,
    next: UnknownObject,
    isDryRun: boolean | undefined,
  ): KubeObject {
    next.metadata.resourceVersion = live.metadata.resourceVersion;
    if (isDryRun === true || sameJson(next, live)) return next;
    const stored = this.#store.put(resource, next);
    if (!isGone(next)) return stored;
    return this.#store.remove(resource, objectKey(next)) ?? stored;
  }

  #erase(
    resource: GroupVersionResource,
    live: UnknownObject,
    options: DeleteOptions,
  ): KubeObject | DeletedStatus {
    const { uid, resourceVersion } = options.preconditions ?? {};
    const { metadata } = live;
    const isOther =
      (uid !== undefined && uid !== metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion);
    if (isOther) throw fakeErrors.precondition(resource, metadata.name);
    const next = deleted(resource.resource, live, options, this.#clock);
    if (options.dryRun === true) return next;
    if (!isGone(next)) return this.#save(resource, live, next, false);
    this.#store.remove(resource, objectKey(live));
    const details = {
      name: metadata.name,
      group: resource.group,
      kind: resource.resource,
      uid: metadata.uid,
    };
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details,
    };
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The resource of an object by its kind, by the rules of English that Kubernetes' names follow. */
function resourceOf(object: KubeObject): GroupVersionResource {
  const { kind = '', apiVersion = '' } = object;
  if (kind === '') throw new Error(`object "${object.metadata.name}" has no kind`);
  const lower = kind.toLowerCase();
  let resource = `${lower}s`;
  if (lower === 'endpoints') resource = lower;
  else if (lower.endsWith('s')) resource = `${lower}es`;
  else if (/[^aeo]y$/.test(lower)) resource = `${lower.slice(0, -1)}ies`;
  return { ...parseGroupVersion(apiVersion), resource };
}
