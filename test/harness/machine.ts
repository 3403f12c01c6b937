import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CgroupLayout } from '#host/cgroup-layout.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import { runCommand, type CommandResult } from '#host/process.ts';
import { firstOutput } from './first-output.ts';

/** What machines need to know of their lab. */
export interface LabContext {
  readonly id: string;
  readonly directory: string;
  readonly cgroups: CgroupTree;
  readonly layout: CgroupLayout;
}

export interface RunOptions {
  timeoutMs?: number | undefined;
  stdin?: string | undefined;
  okExitCodes?: readonly number[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
}

/**
 * A machine of a lab: pid, mount, network, UTS, IPC and cgroup namespaces. /run, /var/lib/rancher,
 * /var/lib/kubelet and the like are empty and private; /etc, /var/lib and /var/log show the real
 * machine's files and keep changes to themselves; /tmp is the real one.
 */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** The bridge's end of its cable. */
  readonly port: string;
  /** The real machine's pid of its init. */
  readonly initPid: number;
  /** Runs a command inside; throws CommandError like runCommand. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Runs a line of shell inside and answers its output. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Starts a long-lived process inside; it ends with the machine. */
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** The real machine's pids of the processes inside whose command line matches. */
  processes(pattern: RegExp): Promise<number[]>;
}

export interface SpawnOptions {
  /** A descriptor of a file that takes both outputs. */
  output: number;
  env?: Readonly<Record<string, string>> | undefined;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const pause = join(
  repository,
  'native/prebuilt',
  process.arch === 'arm64' ? 'pause-aarch64' : 'pause-x86_64',
);

export async function createMachine(options: {
  context: LabContext;
  name: string;
  /** Its cgroup, which becomes the root of its cgroup namespace. */
  cgroup: string;
  address: string;
  port: string;
}): Promise<Machine> {
  const { context, name, cgroup, address, port } = options;
  const { cgroups, layout } = context;
  await cgroups.create(cgroup);
  const directories = layout.hierarchies.map((mount) => join(mount, cgroup));
  const enter = `for d in ${directories.join(' ')}; do echo $$ >"$d/cgroup.procs"; done; exec "$@"`;
  const unshare = ['unshare', '-m', '-n', '-p', '-u', '-i', '-C', '--fork', '--kill-child'];
  const outer = spawn('sh', ['-c', enter, 'enter', ...unshare, 'sh', '-c', setup(layout, name)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await firstOutput(outer, `machine ${name}`);
  outer.unref();
  const initPid = await onlyChild(outer.pid ?? 0);
  const into = ['nsenter', '-t', String(initPid), '-m', '-n', '-p', '-u', '-i', '-C', '--'];
  const wrap = (command: string, args: readonly string[]): string[] => [
    '-c',
    enter,
    'enter',
    ...into,
    command,
    ...args,
  ];
  const run: Machine['run'] = async (command, args = [], runOptions = {}) =>
    await runCommand({
      command: 'sh',
      args: wrap(command, args),
      ...runOptions,
      timeoutMs: runOptions.timeoutMs ?? 120_000,
    });
  return {
    name,
    address,
    port,
    initPid,
    run,
    sh: async (script, runOptions) => (await run('sh', ['-c', script], runOptions)).stdout,
    spawn: (command, args, { output, env }) =>
      spawn('sh', wrap(command, args), {
        stdio: ['ignore', output, output],
        ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
      }),
    async processes(pattern) {
      const found: number[] = [];
      for (const pid of await cgroups.processes(cgroup)) {
        const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (pattern.test(line.replaceAll('\0', ' '))) found.push(pid);
      }
      return found;
    },
  };
}

async function onlyChild(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

/** What the machine's first process does before it becomes its init, the pause program. */
function setup(layout: CgroupLayout, name: string): string {
  const empty = [
    '/run',
    '/var/lib/rancher',
    '/var/lib/kubelet',
    '/var/lib/cni',
    '/var/log/pods',
    '/var/log/containers',
    '/etc/rancher',
    '/etc/cni',
  ];
  return `set -e
    mount --make-rprivate /
    mount -t proc proc /proc
    mount -t tmpfs -o mode=755 tmpfs /mnt
    for d in etc var/lib var/log; do
      mkdir -p /mnt/$d/upper /mnt/$d/work
      mount -t overlay -o lowerdir=/$d,upperdir=/mnt/$d/upper,workdir=/mnt/$d/work overlay /$d
    done
    for d in ${empty.join(' ')}; do
      mkdir -p $d
      mount -t tmpfs -o mode=755 tmpfs $d
    done
    mkdir -p /run/lock
    mount -t sysfs sysfs /sys
    ${cgroupMounts(layout).join('\n    ')}
    mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true
    hostname ${name}
    ip link set lo up
    echo ready
    exec ${pause} >/dev/null 2>&1`;
}

/** The same hierarchies as on the real machine; the cgroup namespace makes ours their root. */
function cgroupMounts(layout: CgroupLayout): string[] {
  if (layout.version === 2) return ['mount -t cgroup2 cgroup2 /sys/fs/cgroup'];
  const lines = ['mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup'];
  for (const mount of layout.hierarchies) {
    const own = [...layout.controllers].filter(([, path]) => path === mount);
    const controllers = own.map(([controller]) => controller).join(',');
    const isUnified = controllers === '' && mount.endsWith('unified');
    const options = controllers === '' ? 'none,name=systemd' : controllers;
    lines.push(
      `mkdir -p ${mount}`,
      isUnified
        ? `mount -t cgroup2 cgroup2 ${mount}`
        : `mount -t cgroup -o ${options} cgroup ${mount}`,
    );
  }
  return lines;
}
