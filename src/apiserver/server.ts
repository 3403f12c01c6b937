import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { catalog } from '#schema/mod.ts';
import { decodeProtobuf, isProtobuf } from '#schema/protobuf/mod.ts';
import { MetricRegistry } from '#base/metrics.ts';
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
import { FlowControl, keepDanglingConditions } from './flowcontrol/mod.ts';
import type { Auditor } from './audit/mod.ts';
import { ResponseRules } from './http/response-rules.ts';
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
import {
  addInFlightMetrics,
  createAdmissionMeter,
  createDeprecationMetrics,
  createStoreMeter,
  createWatchMetrics,
  meterAuthenticator,
  meterAuthorizer,
  RequestMetrics,
} from './metrics/mod.ts';
import type { OperationOptions } from './operation-options.ts';
import { basicChecks, operationRoutes } from './server-routes.ts';
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
const defaultInFlight: InFlightLimits = { readOnly: 400, mutating: 200 };
const defaultRequestTimeoutMs = 60_000;
const flowControlUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] };

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
  /** Together they are the seats of priority and fairness. */
  inFlight?: InFlightLimits;
  operation?: OperationOptions;
  build?: BuildInfo;
}

/** What extensions may hold on to; usable once the server has started. */
export interface ApiServerParts {
  /** Synchronous reads of the cache. */
  readonly reader: ObjectReader;
  readonly registry: ResourceRegistry;
  readonly paths: PathRouter;
  readonly metrics: MetricRegistry;
  /** A client of this server for `user`. */
  client(user: UserInfo, userAgent: string, isTrusted?: boolean): Client;
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
  readonly metrics = new MetricRegistry();
  readonly #http: HttpServer;
  readonly #clock: Clock;
  readonly #reader: ObjectReader;
  readonly #flowControl: FlowControl | undefined;
  readonly #auditor: Auditor | undefined;

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
    this.#reader = new CacheObjectReader(registry);
    const extensions = options.extend({
      reader: this.#reader,
      registry,
      paths: this.paths,
      metrics: this.metrics,
      client: (user, userAgent, isTrusted) => this.client(user, userAgent, isTrusted),
    });
    const { authorizer } = extensions;
    const ownHooks = createKindHooks({ reader: this.#reader, authorizer });
    registry.setHooks(mergeHooks(ownHooks, extensions.kindHooks ?? {}));
    registry.add(options.resources ?? catalog.all);
    const virtual = new Map<string, VirtualCreate>();
    this.core = {
      backend,
      cache,
      store: new ObjectStore({
        backend,
        watchCache: cache,
        meter: createStoreMeter({
          registry: this.metrics,
          clock,
          kindOf: (prefix) => registry.all().find((info) => info.storagePrefix === prefix),
        }),
      }),
      registry,
      admission: new AdmissionChain(
        extensions.admissionPlugins ?? [],
        createAdmissionMeter(this.metrics, clock),
      ),
      authorizer: meterAuthorizer(extensions.authorizer, this.metrics, clock),
      locks: new KeyLocks(),
      virtual,
      clock,
      random,
      log,
      minWatchTimeoutMs: options.operation?.minRequestTimeoutMs,
      eventTtlSeconds: options.operation?.eventTtlSeconds,
      encryption: options.operation?.encryption,
    };
    for (const [key, create] of builtInVirtualResources(this.core)) virtual.set(key, create);
    for (const [key, create] of extensions.virtualResources ?? []) virtual.set(key, create);
    this.#flowControl = this.#createFlowControl(options);
    this.#auditor = options.operation?.audit?.(this.metrics);
    this.#addRoutes(options, extensions);
    this.#background = extensions.background;
    this.#pipeline = this.#createPipeline(options, extensions);
    this.#http = new HttpServer({
      clock,
      log,
      handle: (exchange) => this.#pipeline.handle(exchange),
      handleUpgrade: (request, socket, head) =>
        void this.#pipeline.handleUpgrade(request, socket, head),
      supervisor: options.supervisor,
    });
  }

  /**
   * A client without HTTP that acts as `user`; `userAgent` names its writes' field manager. What a
   * trusted one may do is not asked.
   */
  client(user: UserInfo, userAgent: string, isTrusted = false): Client {
    // extensions ask for clients before the core is there, and use them when it is
    const target = () => ({ core: this.core, pipeline: this.#pipeline });
    return new InProcessClient({ target, user, userAgent, isTrusted });
  }

  /** Follows the store and loads all kinds; resolves when everything can be read. */
  async start(): Promise<void> {
    const { cache, registry } = this.core;
    cache.start();
    const caches = registry.all().flatMap((info) => registry.byResource(info)?.cache ?? []);
    await Promise.all([...new Set(caches)].map((one) => cache.add(one)));
    this.#background?.(this.#end.signal);
    if (this.#flowControl === undefined) return;
    const { clock, log } = this.core;
    keepDanglingConditions({
      reader: this.#reader,
      client: this.client(flowControlUser, 'api-priority-and-fairness-config-consumer-v1'),
      clock,
      log,
      signal: this.#end.signal,
    });
  }

  get http(): HttpServer {
    return this.#http;
  }

  async listen(options: { host: string; port: number; tls: TlsOptions }): Promise<number> {
    return (await this.#http.listen(options)).port;
  }

  /** Says that it is not ready any more, and goes on answering. */
  announceShutdown(): void {
    this.#pipeline.announceShutdown();
  }

  /** Ends watches, lets other requests finish, closes connections. The backend stays open. */
  async close(): Promise<void> {
    this.#pipeline.shutDown();
    this.#end.abort();
    this.core.cache.close();
    await this.#http.close(this.#clock, shutdownGraceMs);
    this.#flowControl?.close();
    await this.#auditor?.close();
  }

  #createFlowControl({ inFlight, operation, clock }: ApiServerOptions): FlowControl | undefined {
    if (operation?.priorityAndFairness === false) return undefined;
    const { readOnly, mutating } = inFlight ?? defaultInFlight;
    return new FlowControl({
      reader: this.#reader,
      clock,
      metrics: this.metrics,
      totalSeats: readOnly + mutating,
    });
  }

  #createPipeline(options: ApiServerOptions, extensions: ApiServerExtensions): RequestPipeline {
    const { operation = {} } = options;
    const limiter = this.#flowControl ?? new InFlightLimit(options.inFlight ?? defaultInFlight);
    addInFlightMetrics(this.metrics, limiter);
    return new RequestPipeline({
      core: this.core,
      authenticator: meterAuthenticator(extensions.authenticator, this.metrics, this.#clock),
      paths: this.paths,
      connect: extensions.connect,
      aggregate: extensions.aggregate,
      dispatch: {
        core: this.core,
        connect: extensions.connect,
        frames: new FrameCache(framedEvents),
        pieces: new PiecePool(),
        watchMetrics: createWatchMetrics(this.metrics),
        onDeprecated: createDeprecationMetrics(this.metrics),
      },
      limiter,
      metrics: new RequestMetrics(this.metrics),
      auditor: this.#auditor,
      rules:
        operation.responseRules === undefined
          ? undefined
          : new ResponseRules(operation.responseRules),
      requestTimeoutMs: operation.requestTimeoutMs ?? defaultRequestTimeoutMs,
    });
  }

  #addRoutes(options: ApiServerOptions, extensions: ApiServerExtensions): void {
    const basic = basicChecks(this.core, () => this.#pipeline.isShuttingDown);
    const checks = [...basic.slice(0, -1), ...(extensions.healthChecks ?? []), ...basic.slice(-1)];
    for (const check of checks) this.health.add(check);
    const own = operationRoutes({
      core: this.core,
      clock: options.clock,
      health: this.health,
      paths: this.paths,
      registry: this.metrics,
      flowControl: this.#flowControl,
      build: options.build,
      operation: options.operation ?? {},
    });
    for (const route of [...own, ...(extensions.routes ?? [])]) this.paths.add(route);
    const handshakes = this.metrics.counter({
      name: 'apiserver_tls_handshake_errors_total',
      help: 'TLS connections that failed to come about.',
      stability: 'ALPHA',
    });
    this.metrics.onCollect(() => {
      handshakes.with().value = this.#http.handshakeErrors;
    });
  }
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  return new ApiServer(options);
}

/** Values of k3s and other API servers on the same datastore. */
function readForeign(value: Buffer): UnknownObject {
  if (isProtobuf(value)) return decodeProtobuf(value) as UnknownObject;
  throw new Error('the stored value is neither JSON nor protobuf');
}
