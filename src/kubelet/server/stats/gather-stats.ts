import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { Pod } from '#schema/types.ts';
import type { ContainerStats } from '../../cri/mod.ts';
import { runtimeLabels, uidOf } from '../../pods/names.ts';
import type { KubeletServerOptions } from '../server-options.ts';
import type { NodeUsage } from './usage-reader.ts';

export interface ContainerUsage {
  name: string;
  id: string;
  startTimeMs: number;
  stats: ContainerStats;
}

export interface PodUsage {
  pod: Pod;
  cgroup: CgroupStats | undefined;
  containers: ContainerUsage[];
}

export interface GatheredStats {
  node: NodeUsage;
  pods: PodUsage[];
}

/** One look at everything that runs here: node, pods, containers. */
export async function gatherStats(
  options: Pick<KubeletServerOptions, 'kubelet' | 'runtime' | 'usage'>,
): Promise<GatheredStats> {
  const { kubelet, runtime, usage } = options;
  const [node, stats] = await Promise.all([usage.node(), runtime.listContainerStats()]);
  const byUid = new Map<string, ContainerStats[]>();
  for (const one of stats) {
    const uid = one.attributes?.labels[runtimeLabels.podUid] ?? '';
    byUid.set(uid, [...(byUid.get(uid) ?? []), one]);
  }
  const running = kubelet.pods().filter((pod) => byUid.has(uidOf(pod)));
  const pods = await Promise.all(
    running.map(async (pod) => ({
      pod,
      cgroup: await usage.pod(pod),
      containers: containersOf(pod, byUid.get(uidOf(pod)) ?? []),
    })),
  );
  return { node, pods };
}

function containersOf(pod: Pod, stats: readonly ContainerStats[]): ContainerUsage[] {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ];
  return stats.flatMap((one) => {
    const name = one.attributes?.labels[runtimeLabels.containerName] ?? '';
    const status = statuses.find((other) => other.name === name);
    const startedAt = status?.state?.running?.startedAt;
    // The stats of a container that has just been replaced are nobody's.
    if (startedAt === undefined) return [];
    const id = one.attributes?.id ?? '';
    return [{ name, id, startTimeMs: Date.parse(startedAt), stats: one }];
  });
}
