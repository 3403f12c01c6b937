import { podRequests } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import type { ScarceResource } from './thresholds.ts';

/** What one container uses of the node. */
export interface ContainerUse {
  readonly memoryBytes: number;
  /** Writable layer and logs. */
  readonly storageBytes: number;
  readonly inodes: number;
}

/** What a pod uses of the node; numbers that are not known are 0. */
export interface PodUse {
  readonly pod: Pod;
  readonly memoryBytes: number;
  readonly processCount: number;
  readonly containers: ReadonlyMap<string, ContainerUse>;
  /** emptyDir volumes by name, those in memory too. */
  readonly emptyDirs: ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>;
  /** Files of the pod on the node's disk: layers, logs, volumes that are not in memory. */
  readonly storageBytes: number;
  readonly inodes: number;
}

/** What the pod uses of a resource. */
export function useOf(use: PodUse, resource: ScarceResource): number {
  switch (resource) {
    case 'memory':
      return use.memoryBytes;
    case 'ephemeral-storage':
      return use.storageBytes;
    case 'inodes':
      return use.inodes;
    case 'pids':
      return use.processCount;
  }
}

/** What it asked for; nobody asks for inodes or processes. */
export function requestOf({ pod }: PodUse, resource: ScarceResource): number {
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return 0;
  return podRequests(pod).get(resource) ?? 0;
}

/**
 * Containers that use more than they asked for, with both numbers, in the order of the spec; only
 * of what can be asked for.
 */
export function offendingContainers(
  { pod, containers }: PodUse,
  resource: ScarceResource,
): { name: string; used: number; requested: number }[] {
  if (resource === 'pids' || resource === 'inodes') return [];
  const { initContainers = [], containers: regular } = specOf(pod);
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...regular, ...sidecars].flatMap(({ name, resources }) => {
    const use = containers.get(name);
    if (use === undefined) return [];
    const used = resource === 'memory' ? use.memoryBytes : use.storageBytes;
    const requested = amountValue(resources?.requests, resource);
    return used > requested ? [{ name, used, requested }] : [];
  });
}
