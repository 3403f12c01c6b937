import type { MetricRegistry } from '#base/metrics.ts';
import type { Pod } from '#schema/types.ts';
import type { FilesystemState } from '../machine-info.ts';
import type { MountedVolumes } from '../volume-host.ts';
import { uidOf } from '../pods/names.ts';
import { pluginName } from '../volumes/plugin-name.ts';
import { usedVolumes } from '../volumes/pod-volumes.ts';
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

/** How many volumes pods want, and how many are mounted, by plugin. */
export function addVolumeCounts(
  metrics: MetricRegistry,
  options: {
    pods: () => readonly Pod[];
    mounted: (podUid: string) => MountedVolumes;
  },
): void {
  const counts = metrics.gauge({
    name: 'volume_manager_total_volumes',
    help: 'Volumes that pods of this node want, and that are mounted.',
    labels: ['plugin_name', 'state'],
    stability: 'ALPHA',
  });
  metrics.onCollect(() => {
    counts.clear();
    for (const pod of options.pods()) {
      const mounted = options.mounted(uidOf(pod));
      for (const volume of usedVolumes(pod)) {
        const present = mounted.get(volume.name);
        const plugin = present?.plugin ?? pluginName(volume);
        if (plugin === undefined) continue;
        counts.with(plugin, 'desired_state_of_world').value += 1;
        if (present !== undefined) counts.with(plugin, 'actual_state_of_world').value += 1;
      }
    }
  });
}
