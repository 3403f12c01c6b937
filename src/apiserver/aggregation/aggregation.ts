import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Client } from '#client/mod.ts';
import type { GroupInfo, ResourceInfo } from '#schema/mod.ts';
import type { OpenApiPage, OpenApiV2Document } from '#schema/openapi/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import type { AggregateHook } from '../aggregate-hook.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { DiscoveredResource, DiscoveredVersion } from '../discovery/discovered.ts';
import type { HealthCheck } from '../health/health-checks.ts';
import type { PathRoute } from '../path-route.ts';
import type { ServiceResolver } from '../webhook-client/mod.ts';
import {
  apiServiceName,
  customResourceDefinitions,
  localGroupVersions,
  onStart,
} from './api-service.ts';
import type { LocalGroupVersion } from './api-service.ts';
import { startAutoRegistration } from './auto-registration.ts';
import type { AutoRegistration } from './auto-registration.ts';
import { startAvailability } from './availability-controller.ts';
import { mergeOpenApiV2 } from './merge-openapi.ts';
import { RemoteApis } from './remote-apis.ts';
import type { ProxyCertificate } from './remote-server.ts';

/**
 * A group version that a part of this process serves by itself, without storage: its APIService
 * shows as Local. An APIService of the same name with a Service takes its place.
 */
export interface LocalApi {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  readonly resources: readonly DiscoveredResource[];
  /** Answers every path below `/apis/<group>/<version>/`; authorized already. */
  readonly handle: PathRoute['handle'];
}

export interface AggregationOptions {
  readonly reader: ObjectReader;
  /** Speaks as a member of system:masters: it writes APIServices. */
  readonly client: Client;
  readonly resources: () => readonly ResourceInfo[];
  readonly onResourcesChange: (listener: () => void) => () => void;
  readonly groups: readonly GroupInfo[];
  readonly local?: readonly LocalApi[] | undefined;
  readonly resolver: ServiceResolver;
  /** client-auth-proxy; asked at each connection because it is renewed. */
  readonly certificate: () => ProxyCertificate;
  /** Called when discovery or OpenAPI documents have to be made anew. */
  readonly onChange: () => void;
  readonly metrics?: MetricRegistry | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Aggregation {
  readonly hook: AggregateHook;
  readonly routes: readonly PathRoute[];
  readonly healthChecks: readonly HealthCheck[];
  /** Group versions beside the resources of the registry, for discovery. */
  discovered(): readonly DiscoveredVersion[];
  /** Documents of version 3 by path (`apis/<group>/<version>`). */
  openApiV3(): ReadonlyMap<string, OpenApiPage>;
  mergeOpenApiV2(own: OpenApiV2Document): OpenApiV2Document;
  /** Registers and watches until the signal; to be called once the server can be read. */
  start(signal: AbortSignal): void;
}

/** The aggregation layer: registers what is served here, and joins extension servers to it. */
export function createAggregation(options: AggregationOptions): Aggregation {
  const { reader, client, clock, log, local = [] } = options;
  const remotes = new RemoteApis(options);
  let registration: AutoRegistration | undefined;

  const wanted = (): LocalGroupVersion[] => [
    ...localGroupVersions({
      infos: options.resources(),
      groups: options.groups,
      definitions: reader.list<CustomResourceDefinition>(customResourceDefinitions),
    }),
    ...local.map((api) => ({ ...api, management: onStart }) as const),
  ];

  return {
    hook: remotes,
    routes: local.map(({ group, version, handle }) => ({
      path: `/apis/${group}/${version}/`,
      isPrefix: true,
      handle,
    })),
    healthChecks: [
      {
        name: 'autoregister-completion',
        check() {
          if (registration?.isComplete() !== true) throw new Error('missing APIService');
        },
      },
    ],
    discovered() {
      const far = remotes.discovered();
      const taken = new Set(far.map(apiServiceName));
      const near = local.filter((api) => !taken.has(apiServiceName(api)));
      return [...far, ...near.map((api) => ({ ...api, isStale: false }))];
    },
    openApiV3() {
      const pages = new Map<string, OpenApiPage>();
      for (const [path, { v3 }] of remotes.openApi()) if (v3 !== undefined) pages.set(path, v3);
      return pages;
    },
    mergeOpenApiV2(own) {
      const others = [...remotes.openApi()].flatMap(([path, { v2 }]) =>
        v2 === undefined ? [] : [{ document: v2, prefix: `/${path}` }],
      );
      return mergeOpenApiV2(own, others);
    },
    start(signal) {
      registration = startAutoRegistration({
        client,
        reader,
        wanted,
        onWantedChange(listener) {
          const removers = [
            options.onResourcesChange(listener),
            reader.onChange(customResourceDefinitions, listener),
          ];
          return () => removers.forEach((remove) => remove());
        },
        clock,
        log,
        signal,
      });
      startAvailability({
        client,
        reader,
        remote: (name) => remotes.server(name),
        metrics: options.metrics,
        clock,
        log,
        signal,
      });
      remotes.start(signal);
    },
  };
}
