import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { catalog } from '#schema/mod.ts';
import { decodeProtobuf, isProtobuf } from '#schema/protobuf/mod.ts';
import type { Backend } from '#store/mod.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import { PiecePool } from './answers/piece-pool.ts';
import { FrameCache } from './answers/watch-answer.ts';
import type { RequestAuthenticator } from './authn/mod.ts';
import type { Authorizer } from './authz/authorizer.ts';
import { WatchCache } from './cache/mod.ts';
import type { AggregateHook } from './aggregate-hook.ts';
import type { ConnectHandler } from './connect-hook.ts';
import type { Core } from './core.ts';
import { HealthChecks } from './health/health-checks.ts';
import type { HealthCheck } from './health/health-checks.ts';
import type { BuildInfo } from './health/version.ts';
import { versionRoute } from './health/version.ts';
import { CacheObjectReader } from './cache-object-reader.ts';
import { InProcessClient } from './in-process-client.ts';
import { createKindHooks, mergeHooks } from './kinds/hook-table.ts';
import type { UserInfo } from './request.ts';
import type { ObjectReader } from './authz/object-reader.ts';
import { builtInVirtualResources } from './handlers/built-in-virtual.ts';
import type { Client } from '#client/mod.ts';
import type { SupervisorHook, TlsOptions } from './http-server.ts';
import { HttpServer } from './http-server.ts';
import type { KindHookTable } from './kinds/kind-hooks.ts';
import { RequestMetrics } from './metrics/request-metrics.ts';
import type { PathRoute } from './path-route.ts';
import { PathRouter } from './path-route.ts';
import { AdmissionChain } from './pipeline/admission-chain.ts';
import { InFlightLimit } from './pipeline/in-flight-limit.ts';
import type { InFlightLimits } from './pipeline/in-flight-limit.ts';
import { KeyLocks } from './pipeline/key-locks.ts';
import { RequestPipeline } from './pipeline/request-pipeline.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ObjectStore } from './storage/object-store.ts';
import type { VirtualCreate, VirtualResources } from './virtual-resource.ts';

/** Events whose frames are kept for watchers that come to them a little later. */
const framedEvents = 64;
const shutdownGraceMs = 5000;

export interface ApiServerOptions {
  backend: Backend;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Who may do what, and everything that others add; made once the cache can be referred to. */
  extend: (parts: ApiServerParts) => ApiServerExtensions;
  supervisor?: SupervisorHook | undefined;
  resources?: readonly ResourceInfo[];
  /** Reads stored values that are no JSON; absent: protobuf is read, nothing else. */
  decodeForeign?: (value: Buffer) => UnknownObject;
  inFlight?: InFlightLimits;
  build?: BuildInfo;
}

/** What extensions may hold on to; usable once the server has started. */
export interface ApiServerParts {
  /** Synchronous reads of the cache. */
  readonly reader: ObjectReader;
  readonly registry: ResourceRegistry;
  readonly paths: PathRouter;
  /** A client of this server for `user`. */
  client(user: UserInfo, userAgent: string): Client;
}

export interface ApiServerExtensions {
  authenticator: RequestAuthenticator;
  authorizer: Authorizer;
  /** In upstream's order. */
  admissionPlugins?: readonly AdmissionPlugin[];
  /** Added to the built-in hooks of the same kind, function by function. */
  kindHooks?: KindHookTable;
  /** Creates that store nothing, beside the built-in ones (binding, eviction). */
  virtualResources?: VirtualResources;
  routes?: readonly PathRoute[];
  healthChecks?: readonly HealthCheck[];
  connect?: ConnectHandler | undefined;
  aggregate?: AggregateHook | undefined;
  /** Work beside requests: begins when everything can be read, ends with the signal. */
  background?: ((signal: AbortSignal) => void) | undefined;
}

/** The API server: a pipeline over a store, with or without listeners. */
export class ApiServer {
  readonly core: Core;
  readonly health = new HealthChecks();
  readonly paths = new PathRouter();
  readonly metrics = new RequestMetrics();
  readonly #http: HttpServer;
  readonly #clock: Clock;

  readonly #pipeline: RequestPipeline;
  readonly #background: ((signal: AbortSignal) => void) | undefined;
  readonly #end = new AbortController();

  constructor(options: ApiServerOptions) {
    const { backend, clock, log, random } = options;
    this.#clock = clock;
    const cache = new WatchCache({ backend, clock, log });
    const registry = new ResourceRegistry({
      watchCache: cache,
      decodeForeign: options.decodeForeign ?? readForeign,
    });
    const extensions = options.extend({
      reader: new CacheObjectReader(registry),
      registry,
      paths: this.paths,
      client: (user, userAgent) => this.client(user, userAgent),
    });
    const ownHooks = createKindHooks();
    registry.setHooks(mergeHooks(ownHooks, extensions.kindHooks ?? {}));
    registry.add(options.resources ?? catalog.all);
    const virtual = new Map<string, VirtualCreate>();
    this.core = {
      backend,
      cache,
      store: new ObjectStore({ backend, watchCache: cache }),
      registry,
      admission: new AdmissionChain(extensions.admissionPlugins ?? []),
      authorizer: extensions.authorizer,
      locks: new KeyLocks(),
      virtual,
      clock,
      random,
      log,
    };
    for (const [key, create] of builtInVirtualResources(this.core)) virtual.set(key, create);
    for (const [key, create] of extensions.virtualResources ?? []) virtual.set(key, create);
    this.#addRoutes(options, extensions);
    this.#background = extensions.background;
    this.#pipeline = this.#createPipeline(options, extensions);
    this.#http = new HttpServer({
      log,
      handle: (exchange) => this.#pipeline.handle(exchange),
      handleUpgrade: (request, socket, head) =>
        void this.#pipeline.handleUpgrade(request, socket, head),
      supervisor: options.supervisor,
    });
  }

  /** A client without HTTP that acts as `user`; `userAgent` names its writes' field manager. */
  client(user: UserInfo, userAgent: string): Client {
    // extensions ask for clients before the core is there, and use them when it is
    const target = () => ({ core: this.core, pipeline: this.#pipeline });
    return new InProcessClient({ target, user, userAgent });
  }

  /** Follows the store and loads all kinds; resolves when everything can be read. */
  async start(): Promise<void> {
    const { cache, registry } = this.core;
    cache.start();
    const caches = registry.all().flatMap((info) => registry.byResource(info)?.cache ?? []);
    await Promise.all([...new Set(caches)].map((one) => cache.add(one)));
    this.#background?.(this.#end.signal);
  }

  get http(): HttpServer {
    return this.#http;
  }

  async listen(options: { host: string; port: number; tls: TlsOptions }): Promise<number> {
    return (await this.#http.listen(options)).port;
  }

  /** Ends watches, lets other requests finish, closes connections. The backend stays open. */
  async close(): Promise<void> {
    this.#pipeline.shutDown();
    this.#end.abort();
    this.core.cache.close();
    await this.#http.close(this.#clock, shutdownGraceMs);
  }

  #createPipeline(options: ApiServerOptions, extensions: ApiServerExtensions): RequestPipeline {
    const inFlight = new InFlightLimit(options.inFlight ?? { readOnly: 4000, mutating: 2000 });
    return new RequestPipeline({
      core: this.core,
      authenticator: extensions.authenticator,
      paths: this.paths,
      connect: extensions.connect,
      aggregate: extensions.aggregate,
      dispatch: {
        core: this.core,
        connect: extensions.connect,
        frames: new FrameCache(framedEvents),
        pieces: new PiecePool(),
      },
      inFlight,
      metrics: this.metrics,
    });
  }

  #addRoutes(options: ApiServerOptions, extensions: ApiServerExtensions): void {
    const shutdown: HealthCheck = {
      name: 'shutdown',
      endpoints: ['readyz'],
      check: () => {
        if (this.#pipeline.isShuttingDown) throw new Error('process is shutting down');
      },
    };
    const checks = [...defaultChecks(this.core), ...(extensions.healthChecks ?? []), shutdown];
    for (const check of checks) this.health.add(check);
    const build = options.build ?? { gitCommit: '', buildDate: '1970-01-01T00:00:00Z' };
    const own: PathRoute[] = [
      ...this.health.routes(),
      versionRoute(build, `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`),
      { path: '/metrics', handle: () => this.#metricsAnswer() },
      { path: '/', handle: () => ({ status: 200, body: { paths: this.paths.paths() } }) },
    ];
    for (const route of [...own, ...(extensions.routes ?? [])]) this.paths.add(route);
  }

  #metricsAnswer(): { status: number; headers: Record<string, string>; body: string } {
    const type = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
    return { status: 200, headers: { 'Content-Type': type }, body: this.metrics.render() };
  }
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  return new ApiServer(options);
}

function defaultChecks(core: Core): HealthCheck[] {
  return [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    {
      name: 'etcd',
      check: async () => {
        await core.backend.get('/registry/health');
      },
    },
  ];
}

/** Values of k3s and other API servers on the same datastore. */
function readForeign(value: Buffer): UnknownObject {
  if (isProtobuf(value)) return decodeProtobuf(value) as UnknownObject;
  throw new Error('the stored value is neither JSON nor protobuf');
}
