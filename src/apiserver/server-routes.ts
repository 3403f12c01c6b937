import type { Clock } from '#base/clock.ts';
import { MetricRegistry } from '#base/metrics.ts';

import type { Core } from './core.ts';
import { createDumpRoutes } from './flowcontrol/mod.ts';
import type { FlowControl } from './flowcontrol/mod.ts';
import type { HealthCheck, HealthChecks } from './health/health-checks.ts';
import { infoPages } from './health/info-pages.ts';
import type { BuildInfo } from './health/version.ts';
import { versionRoute } from './health/version.ts';
import {
  addFeatureMetrics,
  addProcessMetrics,
  addStorageMetrics,
  metricRoutes,
} from './metrics/mod.ts';
import type { OperationOptions } from './operation-options.ts';
import type { PathRoute, PathRouter } from './path-route.ts';

const unknownBuild: BuildInfo = { gitCommit: '', buildDate: '1970-01-01T00:00:00Z' };

/** The routes that show how the server does: health, version, metrics, dumps, the index. */
export function operationRoutes(options: {
  core: Core;
  clock: Clock;
  health: HealthChecks;
  paths: PathRouter;
  registry: MetricRegistry;
  flowControl: FlowControl | undefined;
  build: BuildInfo | undefined;
  operation: OperationOptions;
}): PathRoute[] {
  const { core, clock, health, paths, registry, flowControl, operation } = options;
  const build = options.build ?? unknownBuild;
  const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const slis = new MetricRegistry();
  health.measure(slis);
  addProcessMetrics(registry, { clock, build, platform });
  addFeatureMetrics(registry);
  addStorageMetrics(registry, core);
  return [
    ...health.routes(),
    versionRoute(build, platform),
    ...metricRoutes({ registry, slis, disabled: operation.disabledMetrics ?? new Set() }),
    ...infoPages({
      clock,
      flags: operation.flags ?? (() => ({})),
      paths: () => paths.paths(),
    }),
    ...(flowControl === undefined ? [] : createDumpRoutes({ flowControl, clock })),
    {
      path: '/',
      handle: () => ({
        status: 200,
        body: { paths: [...new Set([...paths.paths(), ...health.checkPaths()])].sort() },
      }),
    },
  ];
}

/** The checks that every server has; `isEnding` makes it unready. */
export function basicChecks(core: Core, isEnding: () => boolean): HealthCheck[] {
  const store = async (): Promise<void> => {
    await core.backend.get('/registry/health');
  };
  return [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    { name: 'etcd', check: store },
    { name: 'etcd-readiness', endpoints: ['readyz'], check: store },
    {
      name: 'shutdown',
      endpoints: ['readyz'],
      check: () => {
        if (isEnding()) throw new Error('process is shutting down');
      },
    },
  ];
}
