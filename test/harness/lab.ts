import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { nameSuffix, systemRandom } from '#base/random.ts';
import { detectCgroups, type CgroupLayout } from '#host/cgroup-layout.ts';
import { createCgroupTree, type CgroupTree } from '#host/cgroups.ts';
import { runCommand } from '#host/process.ts';
import { createMachine, type LabContext, type Machine } from './machine.ts';
import { firstOutput } from './first-output.ts';

/**
 * Machines made of namespaces, joined by a bridge that lives in a network namespace of its own.
 * Nothing of the real machine is touched but cgroups below `/k3ts-test-<id>` and a temporary
 * directory, and both go away with the lab, also when the test process is killed.
 */
export interface Lab {
  readonly id: string;
  /** A directory of the lab on the real machine: logs, sockets. */
  readonly directory: string;
  /** Adds a machine with the next address: 10.99.0.1, 10.99.0.2, … */
  addMachine(name?: string): Promise<Machine>;
  /** Takes the cable of a machine out, or puts it back. */
  setLink(machine: Machine, isUp: boolean): Promise<void>;
  /** Runs a command beside the bridge, as a neighbour of the machines (10.99.0.254). */
  runOutside(command: string, args: readonly string[]): Promise<string>;
  /** Kills everything in the lab and removes it. */
  close(): Promise<void>;
}

/** Whether labs work here; the text says what is missing. For the `skip` option of a test. */
export async function labProblem(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    const args = ['-m', '-n', '-p', '-C', '--fork', 'true'];
    await runCommand({ command: 'unshare', args, timeoutMs: 60_000 });
    await detectCgroups();
  } catch (error) {
    return `needs namespaces and cgroups: ${String(error)}`;
  }
  return false;
}

export async function createLab(): Promise<Lab> {
  const id = nameSuffix(systemRandom, 6);
  const layout = await detectCgroups();
  const cgroups = createCgroupTree({ layout, clock: systemClock, log: silentLogger });
  const root = `/k3ts-test-${id}`;
  const directory = await mkdtemp(join(tmpdir(), `k3ts-lab-${id}-`));
  const reaper = startReaper(layout, root, directory);
  const context: LabContext = { id, directory, cgroups, layout };
  try {
    await cgroups.create(`${root}/fabric`);
    const fabric = await startFabric(cgroups, `${root}/fabric`);
    const fabricPid = fabric.pid ?? 0;
    const inFabric = (command: string, args: readonly string[]): Promise<string> =>
      inNetns(fabricPid, command, args);
    let count = 0;
    return {
      id,
      directory,
      async addMachine(name) {
        count += 1;
        const number = count;
        const machine = await createMachine({
          context,
          name: name ?? `node-${number}`,
          cgroup: `${root}/machine-${number}`,
          address: `10.99.0.${number}`,
          port: `port${number}`,
        });
        await plug(fabricPid, machine);
        return machine;
      },
      async setLink(machine, isUp) {
        await inFabric('ip', ['link', 'set', machine.port, isUp ? 'up' : 'down']);
      },
      runOutside: inFabric,
      close: () => endReaper(reaper),
    };
  } catch (error) {
    await endReaper(reaper);
    throw error;
  }
}

/** A process that keeps the network namespace with the bridge. */
async function startFabric(cgroups: CgroupTree, cgroup: string): Promise<ChildProcess> {
  const script = `set -e
    ip link set lo up
    ip link add br0 type bridge
    ip addr add 10.99.0.254/24 dev br0
    ip link set br0 up
    echo ready
    exec sleep 1000000`;
  const fabric = spawn('unshare', ['-n', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await cgroups.enter(cgroup, fabric.pid ?? 0);
  await firstOutput(fabric, 'the fabric');
  fabric.unref();
  return fabric;
}

async function inNetns(pid: number, command: string, args: readonly string[]): Promise<string> {
  const result = await runCommand({
    command: 'nsenter',
    args: ['-t', String(pid), '-n', '--', command, ...args],
    timeoutMs: 90_000,
  });
  return result.stdout;
}

/** Joins a machine to the bridge with a veth pair, whose ends are in the two namespaces. */
async function plug(fabricPid: number, machine: Machine): Promise<void> {
  const inMachine = (line: string): Promise<string> =>
    inNetns(machine.initPid, 'ip', line.split(' '));
  await inMachine(`link add eth0 type veth peer name ${machine.port} netns ${fabricPid}`);
  await inNetns(fabricPid, 'ip', ['link', 'set', machine.port, 'master', 'br0', 'up']);
  await inMachine(`addr add ${machine.address}/24 dev eth0`);
  await inMachine('link set eth0 up');
  await inMachine('route add default via 10.99.0.254');
}

/**
 * A shell that waits for the end of our pipe, which also comes when we are killed, and then kills
 * and removes everything below the lab's cgroup. It is the only way labs end.
 */
function startReaper(layout: CgroupLayout, root: string, directory: string): ChildProcess {
  const script = `cat >/dev/null
    directory=$1; shift
    tries=0
    while [ $tries -lt 400 ]; do
      pids=$(find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | grep -v '^0$')
      [ -n "$pids" ] && kill -9 $pids 2>/dev/null
      find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
      left=
      for path in "$@"; do [ -d "$path" ] && left=yes; done
      [ -z "$left" ] && break
      tries=$((tries + 1))
      sleep 0.05
    done
    rm -rf "$directory"`;
  const paths = layout.hierarchies.map((mount) => join(mount, root));
  return spawn('sh', ['-c', script, 'reaper', directory, ...paths], {
    // A session of its own, so that Ctrl-C at the tests does not reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

async function endReaper(reaper: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (reaper.exitCode === null) reaper.once('exit', () => resolve());
  else resolve();
  reaper.stdin?.end();
  await promise;
}
