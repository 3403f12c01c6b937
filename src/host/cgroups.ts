import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { hasCode, K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { cgroupSettings, type CgroupResources } from './cgroup-resources.ts';
import { signalProcess } from './process.ts';

/**
 * The cgroups of this machine through plain files (the cgroupfs driver). Paths are absolute within
 * the hierarchies: `/kubepods/burstable/pod1234`.
 */
export interface CgroupTree {
  readonly layout: CgroupLayout;
  /** Makes the cgroup (and those above it) in every hierarchy and sets its limits. */
  create(path: string, resources?: CgroupResources): Promise<void>;
  update(path: string, resources: CgroupResources): Promise<void>;
  /** Kills what runs in it and removes it with all below it, in every hierarchy. */
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names of the child cgroups; empty when there is no such cgroup. */
  children(path: string): Promise<string[]>;
  /** Process ids in the cgroup and below it. */
  processes(path: string): Promise<number[]>;
  /** Puts a process into the cgroup in every hierarchy. */
  enter(path: string, pid: number): Promise<void>;
}

export interface CgroupTreeOptions {
  layout: CgroupLayout;
  clock: Clock;
  log: Logger;
}

/** How long a killed cgroup may take to become empty. */
const removeTimeoutMs = 10_000;
const pollMs = 20;

export function createCgroupTree(options: CgroupTreeOptions): CgroupTree {
  const { layout, clock, log } = options;
  const missing = new Set<string>();

  const write = async (path: string, resources: CgroupResources): Promise<void> => {
    for (const { controller, file, value } of cgroupSettings(resources, layout.version)) {
      const mount = layout.controllers.get(controller);
      if (mount === undefined) {
        if (!missing.has(controller)) {
          missing.add(controller);
          log.warning(`cgroup controller ${controller} is missing, its limits are not enforced`);
        }
        continue;
      }
      await writeSetting(join(mount, path, file), value);
    }
  };

  const remove = async (path: string): Promise<void> => {
    const deadlineMs = clock.monotonicMs() + removeTimeoutMs;
    for (;;) {
      const pids = await processesIn(layout, path);
      for (const pid of pids) signalProcess(pid, 'SIGKILL');
      const failure = await removeDirectories(layout, path);
      if (failure === undefined) return;
      if (clock.monotonicMs() >= deadlineMs) {
        throw new K3tsError(
          'CgroupBusy',
          `cgroup ${path} cannot be removed: ${messageOf(failure)}`,
          {
            cause: failure,
          },
        );
      }
      await clock.sleep(pollMs);
    }
  };

  return {
    layout,
    async create(path, resources = {}) {
      for (const mount of layout.hierarchies) await makeCgroup(layout, mount, path, log);
      await write(path, resources);
    },
    update: write,
    remove,
    async exists(path) {
      const mount = layout.controllers.get('memory') ?? layout.hierarchies[0] ?? '';
      return (await childDirectories(join(mount, path))) !== undefined;
    },
    async children(path) {
      const names = new Set<string>();
      for (const mount of layout.hierarchies) {
        for (const name of (await childDirectories(join(mount, path))) ?? []) names.add(name);
      }
      return [...names].sort();
    },
    processes: (path) => processesIn(layout, path),
    async enter(path, pid) {
      for (const mount of layout.hierarchies) {
        await writeFile(join(mount, path, 'cgroup.procs'), String(pid));
      }
    },
  };
}

async function writeSetting(file: string, value: string): Promise<void> {
  try {
    await writeFile(file, value);
  } catch (error) {
    throw new K3tsError('CgroupWrite', `cannot write ${value} to ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes a cgroup and its parents in one hierarchy, so that limits can be set in each. */
async function makeCgroup(
  layout: CgroupLayout,
  mount: string,
  path: string,
  log: Logger,
): Promise<void> {
  let parent = mount;
  for (const part of path.split('/').filter(Boolean)) {
    if (layout.version === 2) await enableControllers(parent, log);
    const directory = join(parent, part);
    await mkdir(directory).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
    if (layout.controllers.get('cpuset') === mount && layout.version === 1) {
      await inheritCpuset(parent, directory);
    }
    parent = directory;
  }
}

/** Hands a version 2 cgroup's controllers down to its children. */
async function enableControllers(directory: string, log: Logger): Promise<void> {
  const words = async (file: string): Promise<string[]> =>
    (await readFile(join(directory, file), 'utf8')).split(/\s+/).filter(Boolean);
  const enabled = new Set(await words('cgroup.subtree_control'));
  const wanted = (await words('cgroup.controllers')).filter((name) => !enabled.has(name));
  for (const name of wanted) {
    try {
      await writeFile(join(directory, 'cgroup.subtree_control'), `+${name}`);
    } catch (error) {
      // A cgroup with processes of its own cannot share; inside a container that is our root.
      if (hasCode(error, 'EBUSY') && (await moveProcessesAside(directory))) {
        await writeFile(join(directory, 'cgroup.subtree_control'), `+${name}`);
      } else {
        log.warning(`cannot enable the cgroup controller ${name}`, { what: messageOf(error) });
      }
    }
  }
}

/** Moves the processes of a cgroup to its child `init`; false when there were none. */
async function moveProcessesAside(directory: string): Promise<boolean> {
  const pids = await pidsOf(directory);
  if (pids.length === 0) return false;
  const aside = join(directory, 'init');
  await mkdir(aside, { recursive: true });
  for (const pid of pids) {
    await writeFile(join(aside, 'cgroup.procs'), String(pid)).catch((error: unknown) => {
      if (!hasCode(error, 'ESRCH')) throw error;
    });
  }
  return true;
}

/** A new version 1 cpuset is empty and takes no processes until it has CPUs and memory nodes. */
async function inheritCpuset(parent: string, directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if ((await readFile(join(directory, file), 'utf8')).trim() !== '') continue;
    await writeFile(join(directory, file), await readFile(join(parent, file), 'utf8'));
  }
}

async function childDirectories(directory: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENODEV')) return undefined;
    throw error;
  }
}

/** The cgroup and all below it, deepest last. */
async function subtree(directory: string): Promise<string[]> {
  const children = await childDirectories(directory);
  if (children === undefined) return [];
  const found = [directory];
  for (const name of children) found.push(...(await subtree(join(directory, name))));
  return found;
}

async function pidsOf(directory: string): Promise<number[]> {
  try {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8');
    return text.split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENODEV')) return [];
    // Threaded version 2 cgroups have no process list.
    if (hasCode(error, 'EOPNOTSUPP')) return [];
    throw error;
  }
}

async function processesIn(layout: CgroupLayout, path: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const mount of layout.hierarchies) {
    for (const directory of await subtree(join(mount, path))) {
      // 0 stands for processes outside of our pid namespace.
      for (const pid of await pidsOf(directory)) if (pid > 0) pids.add(pid);
    }
  }
  return [...pids];
}

/** Removes the directories bottom-up; returns the first failure that is not "gone already". */
async function removeDirectories(layout: CgroupLayout, path: string): Promise<unknown> {
  let failure: unknown;
  for (const mount of layout.hierarchies) {
    const root = join(mount, path);
    if (relative(mount, root) === '' || dirname(root) === root) continue;
    for (const directory of (await subtree(root)).reverse()) {
      await rmdir(directory).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) failure ??= error;
      });
    }
  }
  return failure;
}
