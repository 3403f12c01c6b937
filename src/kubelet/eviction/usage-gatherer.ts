import { join } from 'node:path';
import { directoryUsage } from '#host/disk.ts';
import type { DirectoryUsage } from '#host/disk.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { Pod } from '#schema/types.ts';
import type { ContainerStats, RuntimeService } from '../cri/mod.ts';
import { podLogDirectory, runtimeLabels, specOf, uidOf } from '../pods/names.ts';
import { podDirectories } from '../volumes/mod.ts';
import type { ContainerUse, PodUse } from './pod-usage.ts';

/** Looks at what pods use. */
export interface UsageGatherer {
  /** Files are walked only `withFiles`; all else is 0 then. */
  gather(pods: readonly Pod[], withFiles: (pod: Pod) => boolean): Promise<PodUse[]>;
}

/** More files than this in one place are not counted: the walk would never end. */
const maxEntries = 200_000;

export function createUsageGatherer(options: {
  runtime: Pick<RuntimeService, 'listContainerStats'>;
  rootDir: string;
  podLogs: string;
  /** What a pod's cgroup uses; undefined when it has none. */
  podUsage: (pod: Pod) => Promise<CgroupStats | undefined>;
  signal: AbortSignal;
}): UsageGatherer {
  const { runtime, rootDir, podLogs, podUsage, signal } = options;
  const directories = podDirectories(rootDir);
  const walk = async (path: string): Promise<DirectoryUsage> =>
    await directoryUsage(path, { maxEntries, signal });

  const containersOf = async (
    pod: Pod,
    stats: readonly ContainerStats[],
    withFiles: boolean,
  ): Promise<Map<string, ContainerUse>> => {
    const uses = new Map<string, ContainerUse>();
    for (const { attributes, memory, writableLayer } of stats) {
      const name = attributes?.labels[runtimeLabels.containerName] ?? '';
      const logs = withFiles ? await walk(join(podLogDirectory(podLogs, pod), name)) : nothing;
      uses.set(name, {
        memoryBytes: memory?.workingSetBytes?.value ?? 0,
        storageBytes: (writableLayer?.usedBytes?.value ?? 0) + logs.usedBytes,
        inodes: (writableLayer?.inodesUsed?.value ?? 0) + logs.inodesUsed,
      });
    }
    return uses;
  };

  const useOf = async (
    pod: Pod,
    stats: readonly ContainerStats[],
    withFiles: boolean,
  ): Promise<PodUse> => {
    const uid = uidOf(pod);
    const containers = await containersOf(pod, stats, withFiles);
    const emptyDirs = new Map<string, { bytes: number; inodes: number }>();
    let storageBytes = 0;
    let inodes = 0;
    for (const use of containers.values()) {
      storageBytes += use.storageBytes;
      inodes += use.inodes;
    }
    for (const { name, emptyDir } of withFiles ? (specOf(pod).volumes ?? []) : []) {
      if (emptyDir === undefined) continue;
      const { usedBytes, inodesUsed } = await walk(directories.volume(uid, 'empty-dir', name));
      emptyDirs.set(name, { bytes: usedBytes, inodes: inodesUsed });
      if (emptyDir.medium === 'Memory') continue;
      storageBytes += usedBytes;
      inodes += inodesUsed;
    }
    const cgroup = await podUsage(pod);
    return {
      pod,
      memoryBytes: cgroup?.memoryWorkingSetBytes ?? 0,
      processCount: cgroup?.processCount ?? 0,
      containers,
      emptyDirs,
      storageBytes,
      inodes,
    };
  };

  return {
    async gather(pods, withFiles) {
      const byUid = Map.groupBy(
        await runtime.listContainerStats(),
        ({ attributes }) => attributes?.labels[runtimeLabels.podUid] ?? '',
      );
      const uses: PodUse[] = [];
      for (const pod of pods)
        uses.push(await useOf(pod, byUid.get(uidOf(pod)) ?? [], withFiles(pod)));
      return uses;
    },
  };
}

const nothing: DirectoryUsage = { usedBytes: 0, inodesUsed: 0, isComplete: true };
