import type { CgroupDetails } from '#host/cgroup-details.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { Pod } from '#schema/types.ts';
import type { ContainerStats } from '../../cri/mod.ts';
import { runtimeLabels, uidOf } from '../../pods/names.ts';
import type { KubeletServerOptions } from '../server-options.ts';
import type { ClaimUsage } from '../../volumes/claim-usage.ts';
import type { InterfaceStats } from './network.ts';
import type { PodFiles } from './pod-files.ts';
import type { NodeUsage } from './usage-reader.ts';

export interface ContainerUsage {
  name: string;
  id: string;
  /** As the status names it. */
  image: string;
  startTimeMs: number;
  stats: ContainerStats;
  details?: CgroupDetails | undefined;
}

export interface PodUsage {
  pod: Pod;
  /** Of its cgroup. */
  path: string;
  cgroup: CgroupStats | undefined;
  details?: CgroupDetails | undefined;
  containers: ContainerUsage[];
  network?: readonly InterfaceStats[] | undefined;
  files?: PodFiles | undefined;
  claims?: readonly ClaimUsage[] | undefined;
}

export interface GatheredStats {
  node: NodeUsage;
  nodeNetwork?: readonly InterfaceStats[] | undefined;
  /** The cgroup of all pods. */
  allPods?: CgroupStats | undefined;
  pods: PodUsage[];
}

/** One look at everything that runs here: node, pods, containers. */
export async function gatherStats(
  options: Pick<KubeletServerOptions, 'kubelet' | 'runtime' | 'usage'>,
  {
    hasNetwork = false,
    hasFiles = false,
    hasDetails = false,
  }: {
    hasNetwork?: boolean;
    hasFiles?: boolean;
    /** `with-swap`: only on machines that have some, as they cost many small reads. */
    hasDetails?: boolean | 'with-swap';
  } = {},
): Promise<GatheredStats> {
  const { kubelet, runtime, usage } = options;
  const [node, stats] = await Promise.all([usage.node(), runtime.listContainerStats()]);
  const readsDetails = hasDetails === 'with-swap' ? (node.swapBytes ?? 0) > 0 : hasDetails;
  const byUid = new Map<string, ContainerStats[]>();
  for (const one of stats) {
    const uid = one.attributes?.labels[runtimeLabels.podUid] ?? '';
    byUid.set(uid, [...(byUid.get(uid) ?? []), one]);
  }
  const running = kubelet.pods().filter((pod) => byUid.has(uidOf(pod)));
  const pods = await Promise.all(
    running.map(async (pod) => {
      const containers = containersOf(pod, byUid.get(uidOf(pod)) ?? []);
      const names = containers.map(({ name }) => name);
      const path = usage.pathOf?.(pod) ?? '';
      const details = (id = ''): Promise<CgroupDetails | undefined> =>
        readsDetails && usage.details !== undefined
          ? usage.details(id === '' ? path : `${path}/${id}`)
          : Promise.resolve(undefined);
      return {
        pod,
        path,
        cgroup: await usage.pod(pod),
        details: await details(),
        containers: await Promise.all(
          containers.map(async (one) => ({ ...one, details: await details(one.id) })),
        ),
        network: hasNetwork ? await usage.network?.(pod) : undefined,
        files: hasFiles ? await usage.files?.(pod, names) : undefined,
        claims: hasFiles ? await kubelet.claimUsage?.(pod) : undefined,
      };
    }),
  );
  const nodeNetwork = hasNetwork ? await usage.nodeNetwork?.() : undefined;
  const allPods = hasNetwork || hasFiles ? await usage.allPods?.() : undefined;
  return { node, nodeNetwork, allPods, pods };
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
    return [
      { name, id, image: status?.image ?? '', startTimeMs: Date.parse(startedAt), stats: one },
    ];
  });
}
