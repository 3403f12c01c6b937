import { systemClock } from '#base/clock.ts';
import { percentiles } from '../measurement.ts';
import { Connection } from './connection.ts';
import type { Load } from './load.ts';
import { ensureNamespace } from './objects.ts';

const namespace = 'bench-run';
const pods = `/api/v1/namespaces/${namespace}/pods`;
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const waitMs = 30_000;

/** The image is k3ts' own pause program, which every node has and which ends on SIGTERM. */
const spec = {
  automountServiceAccountToken: false,
  containers: [{ name: 'main', image: 'docker.io/rancher/mirrored-pause:3.6' }],
};

interface SeenPod {
  type: string;
  object: { metadata: { name: string }; status?: { phase?: string; conditions?: Condition[] } };
}

interface Condition {
  type: string;
  status: string;
}

/** Follows pods by one watch: who runs, who is gone, and since when. */
interface PodWatch {
  readonly runningMs: Map<string, number>;
  readonly readyMs: Map<string, number>;
  readonly goneMs: Map<string, number>;
  until(what: string, condition: () => boolean): Promise<void>;
  close(): void;
}

async function watchPods(load: Load): Promise<PodWatch> {
  const runningMs = new Map<string, number>();
  const readyMs = new Map<string, number>();
  const goneMs = new Map<string, number>();
  const connection = await Connection.open(load.target);
  let rest = '';
  const note = ({ type, object }: SeenPod): void => {
    const { name } = object.metadata;
    const nowMs = systemClock.monotonicMs();
    if (type === 'DELETED') goneMs.set(name, nowMs);
    else if (object.status?.phase === 'Running' && !runningMs.has(name)) runningMs.set(name, nowMs);
    const ready = object.status?.conditions?.find((one) => one.type === 'Ready');
    if (ready?.status === 'True' && !readyMs.has(name)) readyMs.set(name, nowMs);
  };
  const onChunk = (bytes: Buffer): void => {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) note(JSON.parse(line) as SeenPod);
  };
  void connection.request('GET', `${pods}?watch=1`, { onChunk }).catch(() => undefined);
  return {
    runningMs,
    readyMs,
    goneMs,
    async until(what, condition) {
      const untilMs = systemClock.monotonicMs() + waitMs;
      while (!condition()) {
        if (systemClock.monotonicMs() > untilMs) throw new Error(`waited too long for ${what}`);
        await systemClock.sleep(5);
      }
    },
    close: () => connection.close(),
  };
}

function body(name: string): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
}

/** Pods one after the other, then 30 at once, then a Deployment of 10. */
export async function runPods(load: Load, count: number): Promise<void> {
  await ensureNamespace(load, namespace);
  const watch = await watchPods(load);
  try {
    await runOneByOne(load, watch, count);
    await runBurst(load, watch, 30);
    await runDeployment(load, watch, 10);
  } finally {
    watch.close();
  }
}

async function runOneByOne(load: Load, watch: PodWatch, count: number): Promise<void> {
  const startTook: number[] = [];
  const deleteTook: number[] = [];
  // The first one warms the node up.
  for (let number = 0; number <= count; number += 1) {
    const name = `one-${number}`;
    const startMs = systemClock.monotonicMs();
    await load.must('POST', pods, body(name));
    await watch.until(`${name} to run`, () => watch.runningMs.has(name));
    await systemClock.sleep(200);
    const deleteMs = systemClock.monotonicMs();
    await load.must('DELETE', `${pods}/${name}`);
    await watch.until(`${name} to be gone`, () => watch.goneMs.has(name));
    if (number === 0) continue;
    startTook.push(watch.runningMs.get(name)! - startMs);
    deleteTook.push(watch.goneMs.get(name)! - deleteMs);
  }
  load.report({ cell: 'pod create to Running', values: percentiles(startTook) });
  load.report({ cell: 'pod delete to gone', values: percentiles(deleteTook) });
}

async function runBurst(load: Load, watch: PodWatch, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, number) => `burst-${number}`);
  const startMs = systemClock.monotonicMs();
  for (const name of names) await load.must('POST', pods, body(name));
  await watch.until('the burst', () => names.every((name) => watch.runningMs.has(name)));
  const runMs = Math.max(...names.map((name) => watch.runningMs.get(name)!)) - startMs;
  load.report({ cell: `${count} pods all Running`, values: { tookMs: runMs } });
  const deleteMs = systemClock.monotonicMs();
  for (const name of names) await load.must('DELETE', `${pods}/${name}`);
  await watch.until('its end', () => names.every((name) => watch.goneMs.has(name)));
  const goneMs = Math.max(...names.map((name) => watch.goneMs.get(name)!)) - deleteMs;
  load.report({ cell: `${count} pods all gone`, values: { tookMs: goneMs } });
}

async function runDeployment(load: Load, watch: PodWatch, replicas: number): Promise<void> {
  const labels = { app: 'many' };
  const startMs = systemClock.monotonicMs();
  await load.must('POST', deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'many' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  });
  const names = (): string[] =>
    [...watch.readyMs.keys()].filter((name) => name.startsWith('many-'));
  await watch.until('the replicas', () => names().length === replicas);
  const untilMs = systemClock.monotonicMs() + waitMs;
  for (;;) {
    const answer = await load.must('GET', `${deployments}/many`);
    if (answer.body.includes(`"availableReplicas":${replicas}`)) break;
    if (systemClock.monotonicMs() > untilMs) throw new Error('the Deployment is not available');
    await systemClock.sleep(5);
  }
  const tookMs = systemClock.monotonicMs() - startMs;
  load.report({ cell: `${replicas} replicas Available`, values: { tookMs } });
  const deleteMs = systemClock.monotonicMs();
  await load.must('DELETE', `${deployments}/many`);
  await watch.until('their end', () => names().every((name) => watch.goneMs.has(name)));
  const goneMs = Math.max(...names().map((name) => watch.goneMs.get(name)!)) - deleteMs;
  load.report({ cell: `${replicas} replicas gone`, values: { tookMs: goneMs } });
}
