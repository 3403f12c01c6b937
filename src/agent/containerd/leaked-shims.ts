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
 * Ends the shims that were suspects before and have neither task nor container now; answers the
 * suspects: shims without a task. What is just being made is a suspect once, never twice.
 */
export async function endLeakedShims(
  options: LeakedShimsOptions,
  before: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const bundles = await bundlesIn(join(options.state, tasks));
  const processes = await listProcesses();
  const shims = shimsById(processes, options.socket);
  const running = await listIds(options, 'tasks');
  const ids = new Set([...bundles, ...shims.keys()].filter((id) => id !== '' && !running.has(id)));
  if (ids.size === 0) return ids;
  const containers = await listIds(options, 'containers');
  for (const id of ids) {
    if (!before.has(id) || containers.has(id)) continue;
    options.log.warning('ending a shim that containerd has forgotten', { id });
    await endShim(options, id, shims.get(id), processes);
    ids.delete(id);
  }
  return ids;
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

/** Ids that containerd knows; those of containers include sandboxes. */
export async function listIds(
  { ctr, socket }: Pick<LeakedShimsOptions, 'ctr' | 'socket'>,
  what: 'tasks' | 'containers',
): Promise<Set<string>> {
  const args = ['--address', socket, '--namespace', namespace, what, 'list', '--quiet'];
  const { stdout } = await runCommand({ command: ctr, args, timeoutMs });
  return new Set(stdout.split('\n').filter(Boolean));
}

async function bundlesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
}
