import { systemClock } from '#base/clock.ts';
import { percentiles } from '../measurement.ts';
import { processUsage } from '../process-usage.ts';
import { Connection } from './connection.ts';
import type { Load } from './load.ts';
import { objectProblem, runCell } from './load.ts';
import { ensureNamespace, pod, simulatedNode } from './objects.ts';

const nodeCounts = [100, 1000, 5000];
const podCount = 1000;
const nodeWriters = 16;

interface SeenPod {
  object: { metadata: { name: string }; spec?: { nodeName?: string } };
}

/**
 * 16 clients create pods that only fit on simulated nodes, until a watch has seen all bound. The
 * latency of a pod counts from its create's answer; CPU is that of the whole server process.
 */
export async function runScheduling(load: Load): Promise<void> {
  let nodes = 0;
  for (const nodeCount of nodeCounts) {
    const first = nodes;
    await runCell(load, {
      name: `create nodes up to ${nodeCount}`,
      clients: nodeWriters,
      count: nodeCount - first,
      forMs: 60_000,
      operate: async (connection, index) => {
        const number = first + index;
        const name = `simulated-${number}`;
        const body = JSON.stringify(simulatedNode(name, number));
        const answer = await connection.request('POST', '/api/v1/nodes', { body });
        return { answer, problem: objectProblem(answer, 201, name) };
      },
    });
    nodes = nodeCount;
    await systemClock.sleep(2000);
    await schedulePods(load, nodeCount);
  }
}

async function schedulePods(load: Load, nodeCount: number): Promise<void> {
  const namespace = `bench-schedule-${nodeCount}`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  await ensureNamespace(load, namespace);
  const boundMs = new Map<string, number>();
  const watch = await Connection.open(load.target);
  let rest = '';
  const onChunk = (bytes: Buffer): void => {
    const nowMs = systemClock.monotonicMs();
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { metadata, spec } = (JSON.parse(line) as SeenPod).object;
      if (spec?.nodeName !== undefined && !boundMs.has(metadata.name)) {
        boundMs.set(metadata.name, nowMs);
      }
    }
  };
  void watch.request('GET', `${pods}?watch=1`, { onChunk }).catch(() => undefined);
  const createdMs = new Map<string, number>();
  const spec = { tolerations: [{ operator: 'Exists' }], nodeSelector: { bench: 'simulated' } };
  const before = processUsage(load.serverPid);
  const startMs = systemClock.monotonicMs();
  await runCell(load, {
    name: `create pods to schedule on ${nodeCount} nodes`,
    clients: 16,
    count: podCount,
    forMs: 30_000,
    operate: async (connection, number) => {
      const name = `s-${number}`;
      const body = JSON.stringify(pod(name, spec));
      const answer = await connection.request('POST', pods, { body });
      createdMs.set(name, systemClock.monotonicMs());
      return { answer, problem: objectProblem(answer, 201, name) };
    },
  });
  const untilMs = systemClock.monotonicMs() + 20_000;
  while (boundMs.size < podCount && systemClock.monotonicMs() < untilMs) {
    await systemClock.sleep(10);
  }
  const cpuMs = processUsage(load.serverPid).cpuMs - before.cpuMs;
  watch.close();
  const elapsedMs = Math.max(...boundMs.values()) - startMs;
  load.report({
    cell: `schedule pods on ${nodeCount} nodes`,
    values: {
      cpuMs: cpuMs / boundMs.size,
      perSecond: (boundMs.size / elapsedMs) * 1000,
      ...percentiles(
        [...boundMs].map(([name, ms]) => Math.max(0, ms - (createdMs.get(name) ?? ms))),
      ),
    },
    problems: boundMs.size === podCount ? [] : [`only ${boundMs.size} of ${podCount} bound`],
  });
}
