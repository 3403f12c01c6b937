import type { MetricRegistry } from '#base/metrics.ts';
import type { Pod } from '#schema/types.ts';
import type { FilesystemState } from '../machine-info.ts';
import type { ClaimUsage } from '../volumes/claim-usage.ts';

const numbers: readonly (readonly [
  name: string,
  help: string,
  value: (fs: FilesystemState) => number,
])[] = [
  ['available_bytes', 'Bytes that are free in the volume.', (fs) => fs.availableBytes],
  ['capacity_bytes', 'Bytes that the volume has.', (fs) => fs.capacityBytes],
  ['inodes', 'Inodes that the volume has.', (fs) => fs.inodes],
  ['inodes_free', 'Inodes that are free in the volume.', (fs) => fs.inodesFree],
  ['inodes_used', 'Inodes in use in the volume.', (fs) => fs.inodes - fs.inodesFree],
  ['used_bytes', 'Bytes in use in the volume.', (fs) => fs.capacityBytes - fs.availableBytes],
];

/** Volumes of claims that pods of this node use, looked at in each scrape. */
export function addVolumeGauges(
  metrics: MetricRegistry,
  options: { pods: () => readonly Pod[]; usageOf: (pod: Pod) => Promise<ClaimUsage[]> },
): void {
  const gauges = numbers.map(([name, help, value]) => ({
    value,
    metric: metrics.gauge({
      name: `kubelet_volume_stats_${name}`,
      help,
      labels: ['namespace', 'persistentvolumeclaim'],
      stability: 'ALPHA',
    }),
  }));
  metrics.onCollect(async () => {
    const usages = (await Promise.all(options.pods().map(options.usageOf))).flat();
    for (const { metric, value } of gauges) {
      metric.clear();
      for (const { claim, fs } of usages) {
        metric.with(claim.namespace, claim.name).value = value(fs);
      }
    }
  });
}
