import type { MetricRegistry } from '#base/metrics.ts';

import type { PathAnswer, PathRoute } from '../path-route.ts';

const contentType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** /metrics, and /metrics/slis with the health checks alone. */
export function metricRoutes(options: {
  registry: MetricRegistry;
  slis: MetricRegistry;
  disabled: ReadonlySet<string>;
}): PathRoute[] {
  const { registry, slis, disabled } = options;
  const answer = (body: string): PathAnswer => ({
    status: 200,
    headers: { 'Content-Type': contentType },
    body,
  });
  return [
    { path: '/metrics', handle: async () => answer(await registry.render(disabled)) },
    { path: '/metrics/slis', handle: async () => answer(await slis.render()) },
  ];
}
