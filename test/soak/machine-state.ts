/** What pods leave on a machine, read from inside its namespaces. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '#host/process.ts';

/** Names of what there is, by what it is: mounts, cgroups, … */
export type MachineState = Readonly<Record<string, readonly string[]>>;

const socket = '/run/k3s/containerd/containerd.sock';
const runtimeRoot = '/run/k3s/containerd';
const persistentRoot = '/var/lib/rancher/k3s/agent/containerd';

export async function readMachineState(): Promise<MachineState> {
  const [containers, tasks, snapshots, leases, rules, rules6] = await Promise.all([
    ctr(['containers', 'ls', '-q']),
    ctr(['tasks', 'ls', '-q']),
    ctr(['snapshots', 'ls']),
    ctr(['leases', 'ls', '-q']),
    firewall('iptables-save'),
    firewall('ip6tables-save'),
  ]);
  return {
    containers,
    tasks,
    snapshots: snapshots.slice(1).map((line) => line.split(/\s+/)[0] ?? ''),
    leases,
    rules: [...rules, ...rules6.map((rule) => `v6 ${rule}`)],
    processes: await otherProcesses(),
    mounts: await mounts(),
    cgroups: await cgroups(),
    netns: await names('/run/netns'),
    links: await names('/sys/class/net'),
    addresses: (await names('/var/lib/cni/networks/cbr0')).filter((name) => /^[\d.]+$/.test(name)),
    'cached networks': await names('/var/lib/cni/results'),
    'pod directories': await names('/var/lib/kubelet/pods'),
    'log directories': await names('/var/log/pods'),
    'log links': await names('/var/log/containers'),
    'sandbox directories': [
      ...(await names(`${runtimeRoot}/io.containerd.grpc.v1.cri/sandboxes`)),
      ...(await names(`${persistentRoot}/io.containerd.grpc.v1.cri/sandboxes`)),
    ],
    'container directories': [
      ...(await names(`${runtimeRoot}/io.containerd.grpc.v1.cri/containers`)),
      ...(await names(`${persistentRoot}/io.containerd.grpc.v1.cri/containers`)),
    ],
    'task directories': [
      ...(await names(`${runtimeRoot}/io.containerd.runtime.v2.task/k8s.io`)),
      ...(await names(`${persistentRoot}/io.containerd.runtime.v2.task/k8s.io`)),
    ],
    'shim sockets': await listeningShims(),
  };
}

/** What `now` has and `base` had not, a line for each kind; nothing may be lost either of these. */
export function leaksSince(base: MachineState, now: MachineState): string[] {
  const lines: string[] = [];
  for (const [kind, items] of Object.entries(now)) {
    const known = new Set(base[kind]);
    const added = items.filter((item) => !known.has(item));
    if (added.length > 0) lines.push(`${kind}: ${shorten(added)}`);
  }
  for (const kind of ['rules', 'links', 'mounts', 'cgroups']) {
    const left = new Set(now[kind]);
    const lost = (base[kind] ?? []).filter((item) => !left.has(item));
    if (lost.length > 0) lines.push(`${kind} that are gone: ${shorten(lost)}`);
  }
  return lines;
}

/** Items for a message: some of them, and how many. */
export function shorten(items: readonly string[]): string {
  const shown = items.slice(0, 4).join(', ');
  return items.length > 4 ? `${shown}, … (${items.length})` : shown;
}

async function ctr(args: readonly string[]): Promise<string[]> {
  return await lines('ctr', ['-a', socket, '-n', 'k8s.io', ...args]);
}

async function lines(command: string, args: readonly string[]): Promise<string[]> {
  const { stdout } = await runCommand({ command, args, timeoutMs: 20_000 });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Rules and chains without comments and counters. */
async function firewall(command: string): Promise<string[]> {
  let table = '';
  const found: string[] = [];
  for (const line of await lines(command, [])) {
    if (line.startsWith('*')) table = line.slice(1);
    else if (/^[-:]/.test(line)) found.push(`${table} ${line.replace(/ \[\d+:\d+\]$/, '')}`);
  }
  return found;
}

async function names(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

/** Files of sockets nobody listens to stay when a shim is killed; containerd leaves them, too. */
async function listeningShims(): Promise<string[]> {
  const text = await readFile('/proc/net/unix', 'utf8');
  const paths = [...text.matchAll(/ (\/run\/containerd\/s\/\w+)$/gm)].map(
    (match) => match[1] ?? '',
  );
  return [...new Set(paths)];
}

async function mounts(): Promise<string[]> {
  const text = await readFile('/proc/1/mountinfo', 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
}

async function cgroups(): Promise<string[]> {
  const all = await readdir('/sys/fs/cgroup', { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Processes that are neither k3ts nor containerd nor started by this program or from outside. */
async function otherProcesses(): Promise<string[]> {
  const found: string[] = [];
  for (const { pid, parent, line } of await readProcesses()) {
    if (pid === 1 || parent === 0 || parent === process.pid) continue;
    if (/^k3ts |^\S*containerd --config|iptables|nft |^\S*ctr /.test(line)) continue;
    found.push(`${line.slice(0, 120)} [${pid}]`);
  }
  return found;
}

export interface MachineProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its command line; its name in brackets when it has none, as zombies. */
  readonly line: string;
}

/** The processes of this pid namespace. */
export async function readProcesses(): Promise<MachineProcess[]> {
  const found: MachineProcess[] = [];
  for (const name of await names('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => undefined);
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
    if (line === undefined || stat === undefined) continue;
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const comm = stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1);
    found.push({
      pid: Number(name),
      parent: Number(parent),
      line: line === '' ? `${comm} ${state}` : line.replaceAll('\0', ' ').trim(),
    });
  }
  return found;
}
