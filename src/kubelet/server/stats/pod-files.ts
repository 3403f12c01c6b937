import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { directoryUsage } from '#host/disk.ts';
import type { Pod, Volume } from '#schema/types.ts';
import { podLogDirectory, specOf, uidOf } from '../../pods/names.ts';
import { podDirectories } from '../../volumes/mod.ts';
import type { PodDirectories } from '../../volumes/mod.ts';

export interface FileUsage {
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

/** What a pod has on the node's disk besides its layers. */
export interface PodFiles {
  readonly atMs: number;
  /** By container. */
  readonly logs: ReadonlyMap<string, FileUsage>;
  /** By the volume's name: those that the kubelet fills or empties with the pod. */
  readonly volumes: ReadonlyMap<string, FileUsage & { readonly isInMemory: boolean }>;
}

/** As upstream: walking files costs, so numbers may be a minute old. */
const freshMs = 60_000;
const maxEntries = 200_000;

/** Walks the files of pods, at most once a minute each. */
export function createPodFilesReader(options: {
  rootDirectory: string;
  podLogs: string;
  clock: Clock;
}): (pod: Pod, containers: readonly string[]) => Promise<PodFiles> {
  const { podLogs, clock } = options;
  const directories = podDirectories(options.rootDirectory);
  const known = new Map<string, PodFiles>();
  const walk = (path: string): Promise<FileUsage> => directoryUsage(path, { maxEntries });

  return async (pod, containers) => {
    const uid = uidOf(pod);
    const nowMs = clock.now();
    for (const [other, { atMs }] of known) if (nowMs - atMs > 2 * freshMs) known.delete(other);
    const cached = known.get(uid);
    if (cached !== undefined && nowMs - cached.atMs < freshMs) return cached;
    const logs = new Map<string, FileUsage>();
    for (const name of containers) {
      logs.set(name, await walk(join(podLogDirectory(podLogs, pod), name)));
    }
    const volumes = new Map<string, FileUsage & { isInMemory: boolean }>();
    for (const volume of specOf(pod).volumes ?? []) {
      const path = pathOf(directories, uid, volume);
      if (path === undefined) continue;
      volumes.set(volume.name, { ...(await walk(path)), isInMemory: isInMemory(volume) });
    }
    const files = { atMs: nowMs, logs, volumes };
    known.set(uid, files);
    return files;
  };
}

function pathOf(directories: PodDirectories, uid: string, volume: Volume): string | undefined {
  const { name, emptyDir, configMap, secret, downwardAPI, projected } = volume;
  if (emptyDir !== undefined) return directories.volume(uid, 'empty-dir', name);
  if (configMap !== undefined) return directories.volume(uid, 'configmap', name);
  if (secret !== undefined) return directories.volume(uid, 'secret', name);
  if (downwardAPI !== undefined) return directories.volume(uid, 'downward-api', name);
  return projected === undefined ? undefined : directories.volume(uid, 'projected', name);
}

function isInMemory({ emptyDir, configMap }: Volume): boolean {
  return emptyDir === undefined ? configMap === undefined : emptyDir.medium === 'Memory';
}
