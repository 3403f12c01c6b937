import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { APIService } from '#schema/types.ts';
import type { AggregateHook, BackingServer } from '../aggregate-hook.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { DiscoveredResource, DiscoveredVersion } from '../discovery/discovered.ts';
import type { RequestInfo } from '../request.ts';
import type { ServiceResolver } from '../webhook-client/mod.ts';
import { createAggregatedProxy } from './aggregated-proxy.ts';
import { apiServices, isAvailable } from './api-service.ts';
import { fetchDiscovery } from './remote-discovery.ts';
import { fetchOpenApi } from './remote-openapi.ts';
import type { RemoteOpenApi } from './remote-openapi.ts';
import { RemoteServer } from './remote-server.ts';
import type { ProxyCertificate } from './remote-server.ts';

/** How often documents of extension servers are asked for again, and how long that may take. */
const refreshMs = 60_000;
const fetchTimeoutMs = 10_000;

export interface RemoteApisOptions {
  readonly reader: ObjectReader;
  readonly resolver: ServiceResolver;
  readonly certificate: () => ProxyCertificate;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when discovery or OpenAPI of extension servers changed. */
  readonly onChange: () => void;
}

interface RemoteApi {
  readonly server: RemoteServer;
  readonly backing: BackingServer;
  resources: readonly DiscoveredResource[];
  openApi: RemoteOpenApi;
  /** The last try to learn the resources went well. */
  isFresh: boolean;
  isFetching: boolean;
}

/** Every APIService that has a Service: who answers, and what it has. Follows the reader. */
export class RemoteApis implements AggregateHook {
  readonly #options: RemoteApisOptions;
  readonly #byName = new Map<string, RemoteApi>();
  readonly #byGroupVersion = new Map<string, RemoteApi>();
  readonly #remove: () => void;
  #signal: AbortSignal | undefined;

  constructor(options: RemoteApisOptions) {
    this.#options = options;
    this.#remove = options.reader.onChange<APIService>(apiServices, ({ next, previous }) => {
      const name = (next ?? previous)?.metadata.name ?? '';
      if (next?.spec?.service === undefined) this.#drop(name);
      else this.#put(name, next);
    });
  }

  find(info: RequestInfo): BackingServer | undefined {
    if (this.#byGroupVersion.size === 0) return undefined;
    if (info.isResourceRequest) {
      return this.#byGroupVersion.get(`${info.group}/${info.version}`)?.backing;
    }
    const match = /^\/(?:api|apis\/([^/]+))\/([^/]+)\/?$/.exec(info.path);
    if (match === null) return undefined;
    return this.#byGroupVersion.get(`${match[1] ?? ''}/${match[2] ?? ''}`)?.backing;
  }

  server(name: string): RemoteServer | undefined {
    return this.#byName.get(name)?.server;
  }

  /** What extension servers have, for discovery. */
  discovered(): DiscoveredVersion[] {
    return [...this.#byName.values()].map(({ server, resources, isFresh }) => {
      const {
        group = '',
        version = '',
        groupPriorityMinimum = 0,
        versionPriority = 0,
      } = server.service.spec ?? {};
      const isStale = !isFresh || !isAvailable(server.service);
      return { group, version, groupPriorityMinimum, versionPriority, isStale, resources };
    });
  }

  /** Documents of extension servers by group version path (`apis/<group>/<version>`). */
  openApi(): Map<string, RemoteOpenApi> {
    return new Map(
      [...this.#byName.values()].map(({ server, openApi }) => {
        const { group = '', version = '' } = server.service.spec ?? {};
        return [group === '' ? `api/${version}` : `apis/${group}/${version}`, openApi];
      }),
    );
  }

  /** Asks the servers for what they have from now on, until the signal. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    const refresh = (): void => {
      if (signal.aborted) return;
      for (const api of this.#byName.values()) this.#fetch(api);
      this.#options.clock.after(refreshMs, refresh);
    };
    refresh();
    signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  #close(): void {
    this.#remove();
    for (const { server } of this.#byName.values()) server.close();
  }

  #put(name: string, service: APIService): void {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      const wasAvailable = isAvailable(known.server.service);
      const isOther = !isSameSpec(known.server.service, service);
      known.server.update(service);
      const isNow = isAvailable(service);
      if (isOther || wasAvailable !== isNow) {
        this.#options.onChange();
        if (isNow) this.#fetch(known);
      }
      return;
    }
    const { resolver, certificate, clock } = this.#options;
    const server = new RemoteServer({ service, resolver, certificate, clock });
    const api: RemoteApi = {
      server,
      backing: createAggregatedProxy(server),
      resources: [],
      openApi: {},
      isFresh: false,
      isFetching: false,
    };
    this.#byName.set(name, api);
    this.#byGroupVersion.set(keyOf(service), api);
    this.#options.onChange();
    this.#fetch(api);
  }

  #drop(name: string): void {
    const known = this.#byName.get(name);
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#byGroupVersion.delete(keyOf(known.server.service));
    known.server.close();
    this.#options.onChange();
  }

  #fetch(api: RemoteApi): void {
    const signal = this.#signal;
    if (signal === undefined || api.isFetching || !isAvailable(api.server.service)) return;
    api.isFetching = true;
    this.#learn(api, signal)
      .catch((error: unknown) => {
        const name = api.server.service.metadata.name;
        if (!signal.aborted) {
          this.#options.log.warning('Cannot learn what an extension server has', {
            name,
            error: messageOf(error),
          });
        }
        const wasFresh = api.isFresh;
        api.isFresh = false;
        if (wasFresh) this.#options.onChange();
      })
      .finally(() => {
        api.isFetching = false;
      });
  }

  async #learn(api: RemoteApi, parent: AbortSignal): Promise<void> {
    const end = new AbortController();
    const stop = (): void => end.abort();
    const timer = this.#options.clock.after(fetchTimeoutMs, stop);
    parent.addEventListener('abort', stop, { once: true });
    try {
      const before = JSON.stringify(api.resources);
      const wasFresh = api.isFresh;
      api.resources = await fetchDiscovery(api.server, end.signal);
      api.isFresh = true;
      const { openApi } = api;
      if (!wasFresh || JSON.stringify(api.resources) !== before) this.#options.onChange();
      api.openApi = await fetchOpenApi(api.server, openApi, end.signal);
      const isOther = api.openApi.v3?.hash !== openApi.v3?.hash || api.openApi.v2 !== openApi.v2;
      if (isOther) this.#options.onChange();
    } finally {
      timer.cancel();
      parent.removeEventListener('abort', stop);
    }
  }
}

function keyOf({ spec }: APIService): string {
  return `${spec?.group ?? ''}/${spec?.version ?? ''}`;
}

function isSameSpec(left: APIService, right: APIService): boolean {
  return JSON.stringify(left.spec) === JSON.stringify(right.spec);
}
