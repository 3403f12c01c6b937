import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { descendantsOf, listProcesses, type ListedProcess } from '#host/process-list.ts';
import { runCommand, signalProcess } from '#host/process.ts';

export interface LeakedShimsOptions {
  readonly shim: string;
  readonly ctr: string;
  /** containerd's socket, by which its shims are known. */
  readonly socket: string;
  /** containerd's state and root directories. */
  readonly state: string;
  readonly root: string;
  readonly log: Logger;
}

/** After a start of containerd, and while there are suspects. */
const earlyPeriodMs = 10_000;
const earlyLooks = 6;
/** Later only processes are looked at, which costs little. */
const latePeriodMs = 60_000;
const timeoutMs = 30_000;
const namespace = 'k8s.io';
const tasks = join('io.containerd.runtime.v2.task', namespace);

/**
 * Ends shims that containerd has forgotten, until the signal is aborted. A containerd killed
 * between making a task and noting it knows nothing of it afterwards; an overloaded one gives up
 * a shim without ending it. Shim, process, bundle and mounts would stay for ever.
 */
export async function watchLeakedShims(
  options: LeakedShimsOptions & { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = options;
  let suspects: ReadonlySet<string> = new Set();
  for (let look = 1; !signal.aborted; look += 1) {
    const isEarly = look <= earlyLooks || suspects.size > 0;
    await clock.sleep(isEarly ? earlyPeriodMs : latePeriodMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      if (isEarly || (await hasShimWithoutBundle(options))) {
        suspects = await endLeakedShims(options, suspects);
      }
    } catch (error) {
      log.debug('cannot look for leaked shims', { error: messageOf(error) });
    }
  }
}

/**
 * Ends the shims that were suspects before and have neither task nor container now, and deletes
 * stopped tasks; answers the suspects: shims without a task, and tasks that have stopped. What is
 * just being made is a suspect once, never twice.
 */
export async function endLeakedShims(
  options: LeakedShimsOptions,
  before: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const bundles = await bundlesIn(join(options.state, tasks));
  const processes = await listProcesses();
  const shims = shimsById(processes, options.socket);
  const known = await listTasks(options);
  const stopped = await deleteStoppedTasks(options, known, before);
  const ids = new Set([...bundles, ...shims.keys()].filter((id) => id !== '' && !known.has(id)));
  if (ids.size === 0) return stopped;
  const containers = await listContainerIds(options);
  for (const id of ids) {
    if (!before.has(id) || containers.has(id)) continue;
    options.log.warning('ending a shim that containerd has forgotten', { id });
    await endShim(options, id, shims.get(id), processes);
    ids.delete(id);
  }
  return ids.union(stopped);
}

/** How stopped tasks are called among the suspects; shims are there by their id. */
const stoppedTask = (id: string): string => `stopped task ${id}`;

/**
 * Deletes the tasks that had stopped before and still have: containerd deletes one at once, unless
 * its client went away while the container started. Its container could never be removed. Answers
 * those seen for the first time.
 */
async function deleteStoppedTasks(
  options: LeakedShimsOptions,
  tasks: ReadonlyMap<string, string>,
  before: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const suspects = new Set<string>();
  for (const [id, status] of tasks) {
    if (status !== 'STOPPED') continue;
    if (!before.has(stoppedTask(id))) {
      suspects.add(stoppedTask(id));
      continue;
    }
    options.log.warning('deleting a stopped task that containerd has forgotten', { id });
    const { ctr, socket } = options;
    const args = ['--address', socket, '--namespace', namespace, 'tasks', 'delete', id];
    // Its exit code is the one that the task ended with; a task that stays is found again.
    await runCommand({ command: ctr, args, timeoutMs }).catch(() => undefined);
  }
  return suspects;
}

async function endShim(
  { shim, socket, state, root }: LeakedShimsOptions,
  id: string,
  process: ListedProcess | undefined,
  processes: readonly ListedProcess[],
): Promise<void> {
  if (process !== undefined) {
    const pids = [process.pid, ...descendantsOf(process.pid, processes)];
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
  }
  const bundle = join(state, tasks, id);
  // The shim's own way to remove what is left of a task: runc's state, the cgroup, the mounts.
  const args = [
    '-namespace',
    namespace,
    '-address',
    socket,
    '-id',
    id,
    '-bundle',
    bundle,
    'delete',
  ];
  await runCommand({ command: shim, args, cwd: bundle, timeoutMs }).catch(() => undefined);
  for (const path of [bundle, join(root, tasks, id), shimSocket(socket, id)]) {
    await rm(path, { recursive: true, force: true });
  }
}

/** Where a shim listens: containerd makes the name of its own socket, the namespace and the id. */
export function shimSocket(socket: string, id: string): string {
  const hash = createHash('sha256')
    .update(join(socket, namespace, id))
    .digest('hex');
  return join('/run/containerd/s', hash);
}

async function hasShimWithoutBundle({ state, socket }: LeakedShimsOptions): Promise<boolean> {
  const shims = shimsById(await listProcesses(), socket);
  const bundles = new Set(await bundlesIn(join(state, tasks)));
  return [...shims.keys()].some((id) => !bundles.has(id));
}

function shimsById(
  processes: readonly ListedProcess[],
  socket: string,
): Map<string, ListedProcess> {
  return new Map(
    processes
      .filter((one) => isShimOf(one, socket))
      .map((one) => [one.args[one.args.indexOf('-id') + 1] ?? '', one] as const),
  );
}

function isShimOf({ args }: ListedProcess, socket: string): boolean {
  const [program = ''] = args;
  if (!program.includes('containerd-shim')) return false;
  return args[args.indexOf('-address') + 1] === socket && !args.includes('delete');
}

/** The status of each task (`RUNNING`, `STOPPED`) by its id. */
async function listTasks({
  ctr,
  socket,
}: Pick<LeakedShimsOptions, 'ctr' | 'socket'>): Promise<ReadonlyMap<string, string>> {
  const args = ['--address', socket, '--namespace', namespace, 'tasks', 'list'];
  const { stdout } = await runCommand({ command: ctr, args, timeoutMs });
  // The first line is the heading: TASK PID STATUS
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(rows.slice(1).map(([id = '', , status = '']) => [id, status] as const));
}

/** Ids of all containers that containerd knows; sandboxes are among them. */
export async function listContainerIds({
  ctr,
  socket,
}: Pick<LeakedShimsOptions, 'ctr' | 'socket'>): Promise<Set<string>> {
  const args = ['--address', socket, '--namespace', namespace, 'containers', 'list', '--quiet'];
  const { stdout } = await runCommand({ command: ctr, args, timeoutMs });
  return new Set(stdout.split('\n').filter(Boolean));
}

async function bundlesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
}
