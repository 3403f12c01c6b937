import { startNode } from '../test/harness/mod.ts';
import type { TestNode } from '../test/harness/mod.ts';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { StartTimes } from './load/start-up.ts';
import type { Measurement } from './measurement.ts';
import { processUsage } from './process-usage.ts';

/** What a group of cells gets. */
export interface BenchContext {
  /** Measuring time of cells that run for a time. */
  readonly seconds: number;
  /** How often a start is repeated. */
  readonly starts: number;
  report(measurement: Measurement): void;
}

const loadProgram = join(import.meta.dirname, 'load/main.ts');
const apiOnly = ['--disable-agent', '--disable-scheduler', '--disable-controller-manager'];

const serverProcess = /^k3ts server/;
const agentProcess = /^k3ts agent/;
const containerd = /^\S*containerd --config/;

/** Memory is looked at when the start has settled. */
const settleMs = 12_000;
const idleMs = 20_000;

/** Runs one phase of the load on the node's machine and hands its measurements on. */
async function runLoad(node: TestNode, phase: string, context: BenchContext): Promise<void> {
  const args = ['--disable-warning=ExperimentalWarning', loadProgram, phase, `${context.seconds}`];
  const { stdout } = await node.run(process.execPath, args, { timeoutMs: 180_000 });
  for (const line of stdout.split('\n')) {
    if (line !== '') context.report(JSON.parse(line) as Measurement);
  }
}

/** Starts k3ts on a new machine and answers how long it took. */
async function measureStart(
  args: readonly string[],
  hasNode: boolean,
): Promise<{ node: TestNode; readyzMs: number; nodeReadyMs: number | undefined }> {
  const node = await startNode({ args, isStopped: true });
  const phase = hasNode ? 'start-node' : 'start';
  const program = ['--disable-warning=ExperimentalWarning', loadProgram, phase];
  const watching = node.run(process.execPath, program, { timeoutMs: 90_000 });
  await systemClock.sleep(300);
  const startMs = systemClock.now();
  await node.restart(args);
  const { stdout } = await watching;
  const times = JSON.parse(stdout) as StartTimes;
  const { nodeReadyMs } = times;
  return {
    node,
    readyzMs: times.readyzMs - startMs,
    nodeReadyMs: nodeReadyMs === undefined ? undefined : nodeReadyMs - startMs,
  };
}

async function rssMb(node: TestNode, pattern: RegExp): Promise<number> {
  const pids = await node.machine.processes(pattern);
  return pids.reduce((sum, pid) => sum + processUsage(pid).rssMb, 0);
}

async function cpuMs(node: TestNode, pattern: RegExp): Promise<number> {
  const pids = await node.machine.processes(pattern);
  return pids.reduce((sum, pid) => sum + processUsage(pid).cpuMs, 0);
}

/** Start-up, memory and CPU of a whole node, and pods on it. */
export async function runNode(context: BenchContext): Promise<void> {
  await warmUp();
  const readyz: number[] = [];
  const ready: number[] = [];
  let last: TestNode | undefined;
  for (let number = 0; number < context.starts; number += 1) {
    await last?.close();
    const { node, readyzMs, nodeReadyMs = 0 } = await measureStart([], true);
    last = node;
    readyz.push(readyzMs);
    ready.push(nodeReadyMs);
  }
  if (last === undefined) return;
  try {
    context.report({ cell: 'start to /readyz', values: { tookMs: median(readyz) } });
    context.report({ cell: 'start to node Ready', values: { tookMs: median(ready) } });
    await measureIdle(last, context);
    await runLoad(last, 'pods', context);
    await systemClock.sleep(settleMs * 2);
    await reportMemory(last, 'after pods', context);
  } finally {
    await last.close();
  }
}

/** The first start after a change of the code compiles it; a node saves that some seconds later. */
async function warmUp(): Promise<void> {
  const { node } = await measureStart([], true);
  await systemClock.sleep(settleMs / 2);
  await node.close();
}

async function measureIdle(node: TestNode, context: BenchContext): Promise<void> {
  await systemClock.sleep(settleMs);
  await reportMemory(node, 'idle', context);
  const both = [serverProcess, agentProcess, containerd] as const;
  const before = await Promise.all(both.map((one) => cpuMs(node, one)));
  const startMs = systemClock.monotonicMs();
  await systemClock.sleep(idleMs);
  const elapsedMs = systemClock.monotonicMs() - startMs;
  const after = await Promise.all(both.map((one) => cpuMs(node, one)));
  const percent = (index: number): number => ((after[index]! - before[index]!) / elapsedMs) * 100;
  context.report({ cell: 'idle server', values: { cpuPercent: percent(0) } });
  context.report({ cell: 'idle agent', values: { cpuPercent: percent(1) } });
  context.report({ cell: 'idle containerd', values: { cpuPercent: percent(2) } });
  context.report({ cell: 'idle node', values: { cpuPercent: percent(0) + percent(1) } });
}

async function reportMemory(node: TestNode, when: string, context: BenchContext): Promise<void> {
  const [server, agent] = [await rssMb(node, serverProcess), await rssMb(node, agentProcess)];
  context.report({ cell: `${when} server`, values: { rssMb: server } });
  context.report({ cell: `${when} agent`, values: { rssMb: agent } });
  context.report({ cell: `${when} node`, values: { rssMb: server + agent } });
}

/** The API alone under load, without controllers, scheduler and agent. */
export function runApi(...phases: readonly string[]) {
  return async (context: BenchContext): Promise<void> => {
    const { node } = await measureStart(apiOnly, false);
    try {
      await systemClock.sleep(settleMs);
      const rssBefore = await rssMb(node, serverProcess);
      context.report({ cell: 'idle API and store', values: { rssMb: rssBefore } });
      await node.waitFor('the kubeconfig', async () => {
        return (await node.machine.sh('ls /etc/rancher/k3s')).includes('k3s.yaml');
      });
      for (const phase of phases) await runLoad(node, phase, context);
      const rssAfter = await rssMb(node, serverProcess);
      context.report({ cell: 'API and store after load', values: { rssMb: rssAfter } });
    } finally {
      await node.close();
    }
  };
}

/** API and scheduler, with nodes that only exist as objects. */
export async function runScheduler(context: BenchContext): Promise<void> {
  const { node } = await measureStart(['--disable-agent', '--disable-controller-manager'], false);
  try {
    await node.waitFor('the kubeconfig', async () => {
      return (await node.machine.sh('ls /etc/rancher/k3s')).includes('k3s.yaml');
    });
    await runLoad(node, 'schedule', context);
  } finally {
    await node.close();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}
