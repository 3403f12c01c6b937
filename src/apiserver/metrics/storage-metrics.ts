import type { MetricRegistry } from '#base/metrics.ts';

import type { Core } from '../core.ts';
import { qualified } from '../api-errors.ts';

/** Numbers of stored objects, watchers and bytes, read at each scrape. */
export function addStorageMetrics(registry: MetricRegistry, core: Core): void {
  const objects = registry.gauge({
    name: 'apiserver_storage_objects',
    help: 'Stored objects by kind.',
    stability: 'STABLE',
    labels: ['resource'],
  });
  const resourceObjects = registry.gauge({
    name: 'apiserver_resource_objects',
    help: 'Stored objects by kind.',
    stability: 'ALPHA',
    labels: ['group', 'resource'],
  });
  const resourceBytes = registry.gauge({
    name: 'apiserver_resource_size_estimate_bytes',
    help: 'Bytes of the stored objects by kind, from the mean size of some.',
    stability: 'ALPHA',
    labels: ['group', 'resource'],
  });
  const watchers = registry.gauge({
    name: 'apiserver_registered_watchers',
    help: 'Watchers that are registered, by kind.',
    stability: 'ALPHA',
    labels: ['group', 'kind', 'version'],
  });
  const received = registry.counter({
    name: 'apiserver_storage_events_received_total',
    help: 'Changes of stored objects that reached the cache, by kind.',
    stability: 'BETA',
    labels: ['group', 'resource'],
  });
  const sizes = registry.gauge({
    name: 'apiserver_storage_size_bytes',
    help: 'Size of the datastore in bytes.',
    stability: 'STABLE',
    labels: ['storage_cluster_id'],
  });
  registry.onCollect(async () => {
    watchers.clear();
    for (const info of core.registry.all()) {
      const cache = core.registry.byResource(info)?.cache;
      if (cache === undefined) continue;
      objects.with(qualified(info)).value = cache.size;
      resourceObjects.with(info.group, info.resource).value = cache.size;
      received.with(info.group, info.resource).value = cache.ring.nextSequence;
      const bytes = Math.round(cache.size * cache.averageBytes);
      resourceBytes.with(info.group, info.resource).value = bytes;
      const count = cache.watchers.size;
      if (count > 0) watchers.with(info.group, info.kind, info.version).value = count;
    }
    sizes.with('etcd-0').value = await core.backend.sizeBytes();
  });
}
