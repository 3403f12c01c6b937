import type { MetricRegistry } from '#base/metrics.ts';
import type { RequestInfo } from '../request.ts';

/** Notes which deprecated APIs were asked for since the start. */
export function createDeprecationMetrics(registry: MetricRegistry): (info: RequestInfo) => void {
  const requested = registry.gauge({
    name: 'apiserver_requested_deprecated_apis',
    help: 'Deprecated APIs that were asked for: 1, by group, version, resource and the release that removes them.',
    stability: 'STABLE',
    labels: ['group', 'removed_release', 'resource', 'subresource', 'version'],
  });
  return ({ group, version, resource, subresource }) => {
    requested.with(group, '', resource, subresource, version).value = 1;
  };
}
