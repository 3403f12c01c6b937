import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import { listMounts, type MountPoint } from './mounts.ts';

/** Where the cgroup hierarchies of this machine are mounted. */
export interface CgroupLayout {
  /** 2 only when the unified hierarchy carries the controllers; hybrid machines are 1. */
  readonly version: 1 | 2;
  /** Version 1 controllers beside a mounted unified hierarchy that has none of them. */
  readonly isHybrid: boolean;
  /** Controller to mount point (v1: its own hierarchy; v2: always the unified one). */
  readonly controllers: ReadonlyMap<string, string>;
  /** Every hierarchy that a cgroup must exist in, each once; named and unified ones included. */
  readonly hierarchies: readonly string[];
}

const knownControllers = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
]);

/** Works the layout out of the mounts; `unifiedControllers` is the root's cgroup.controllers. */
export function cgroupLayout(
  mounts: readonly MountPoint[],
  unifiedControllers: readonly string[],
): CgroupLayout {
  const controllers = new Map<string, string>();
  const hierarchies: string[] = [];
  for (const mount of mounts) {
    if (mount.type !== 'cgroup') continue;
    // The same hierarchy may be mounted twice; the first is the conventional place.
    const own = mount.superOptions.filter((option) => knownControllers.has(option));
    const isNew = own.length === 0 || own.some((controller) => !controllers.has(controller));
    if (!isNew || hierarchies.includes(mount.path)) continue;
    for (const controller of own) controllers.set(controller, mount.path);
    hierarchies.push(mount.path);
  }
  const unified = mounts.find((mount) => mount.type === 'cgroup2')?.path;
  if (controllers.size > 0) {
    if (unified !== undefined) hierarchies.push(unified);
    return { version: 1, isHybrid: unified !== undefined, controllers, hierarchies };
  }
  if (unified === undefined) {
    throw new K3tsError(
      'CgroupsMissing',
      'no cgroup hierarchy is mounted (looked in /proc/self/mountinfo)',
    );
  }
  for (const controller of unifiedControllers) controllers.set(controller, unified);
  return { version: 2, isHybrid: false, controllers, hierarchies: [unified] };
}

/** Reads the layout of this machine. */
export async function detectCgroups(): Promise<CgroupLayout> {
  const mounts = await listMounts();
  const unified = mounts.find((mount) => mount.type === 'cgroup2')?.path;
  const available =
    unified === undefined
      ? ''
      : await readFile(join(unified, 'cgroup.controllers'), 'utf8').catch(() => '');
  return cgroupLayout(mounts, available.split(/\s+/).filter(Boolean));
}

/** The controllers that pods need and this machine lacks: cpu, cpuset, memory and pids. */
export function missingControllers(layout: CgroupLayout): string[] {
  return ['cpu', 'cpuset', 'memory', 'pids'].filter((name) => !layout.controllers.has(name));
}
