import type { Cell, Load } from './load.ts';
import { objectProblem, runCell } from './load.ts';
import { configMap, deployment, ensureNamespace, pod } from './objects.ts';

export const configMaps = '/api/v1/namespaces/bench-writes/configmaps';

/** Pods that the read cells find: this many, named pod-0, pod-1, … */
export const podCount = 1000;
export const podNamespace = 'bench-pods';

const levels = [
  { clients: 1, configMapCount: 300, podsFrom: 0, podsTo: 200 },
  { clients: 16, configMapCount: 3000, podsFrom: 200, podsTo: podCount },
  { clients: 64, configMapCount: 4000, podsFrom: podCount, podsTo: podCount + 1500 },
];

const firstNamespace = 'bench-first';

/**
 * The first pods that a server creates, in a cell of their own, and as many more as it takes until
 * the engine has compiled what a create runs; all of them are deleted again.
 */
async function runFirstCreates(load: Load): Promise<void> {
  const path = `/api/v1/namespaces/${firstNamespace}/pods`;
  const cell = (name: string, clients: number, count: number): Cell => ({
    name,
    clients,
    count,
    operate: async (connection, number) => {
      const podName = `first-${clients}-${number}`;
      const body = JSON.stringify(pod(podName));
      const answer = await connection.request('POST', path, { body });
      return { answer, problem: objectProblem(answer, 201, podName) };
    },
  });
  await runCell(load, cell('create pod c=1, the first 200', 1, 200));
  await runCell({ ...load, report: () => undefined }, cell('warm-up', 4, 1000));
  await load.must('DELETE', path);
}

/** Creates, which the cells of reading, patching and deleting go on with. */
export async function runCreates(load: Load): Promise<void> {
  for (const namespace of ['bench-writes', podNamespace, 'bench-more', firstNamespace]) {
    await ensureNamespace(load, namespace);
  }
  await runFirstCreates(load);
  for (const { clients, configMapCount, podsFrom, podsTo } of levels) {
    await runCell(load, {
      name: `create configmap c=${clients}`,
      clients,
      count: configMapCount,
      operate: async (connection, number) => {
        const name = `made-${clients}-${number}`;
        const body = JSON.stringify(configMap(name));
        const answer = await connection.request('POST', configMaps, { body });
        return { answer, problem: objectProblem(answer, 201, name) };
      },
    });
    const namespace = podsTo > podCount ? 'bench-more' : podNamespace;
    await runCell(load, {
      name: `create pod c=${clients}`,
      clients,
      count: podsTo - podsFrom,
      operate: async (connection, number) => {
        const name = `pod-${podsFrom + number}`;
        const body = JSON.stringify(pod(name));
        const path = `/api/v1/namespaces/${namespace}/pods`;
        const answer = await connection.request('POST', path, { body });
        return { answer, problem: objectProblem(answer, 201, name) };
      },
    });
  }
}

/** Both kinds of patches of pods, and server-side apply of deployments. */
export async function runPatches(load: Load, forMs: number): Promise<void> {
  const patches = [
    ['patch merge c=16', 'application/merge-patch+json'],
    ['patch strategic c=16', 'application/strategic-merge-patch+json'],
  ] as const;
  for (const [cell, contentType] of patches) {
    await runCell(load, {
      name: cell,
      clients: 16,
      forMs,
      warmUp: 20,
      operate: async (connection, number, client) => {
        const name = `pod-${client * 50 + (Math.abs(number) % 50)}`;
        const value = `v${number}`;
        const body = JSON.stringify({ metadata: { annotations: { 'bench.example/i': value } } });
        const path = `/api/v1/namespaces/${podNamespace}/pods/${name}`;
        const answer = await connection.request('PATCH', path, { body, contentType });
        const problem = objectProblem(answer, 200, name);
        const isLost = !answer.body.includes(`"${value}"`);
        return { answer, problem: problem ?? (isLost ? 'patch not in the answer' : undefined) };
      },
    });
  }
  await runCell(load, {
    name: 'server-side apply c=16',
    clients: 16,
    forMs,
    warmUp: 5,
    operate: async (connection, number, client) => {
      const name = `applied-${client}-${Math.abs(number) % 10}`;
      const path = `/apis/apps/v1/namespaces/bench-writes/deployments/${name}`;
      const answer = await connection.request('PATCH', `${path}?fieldManager=bench&force=true`, {
        body: JSON.stringify(deployment(name, number)),
        contentType: 'application/apply-patch+yaml',
      });
      const status = answer.status === 201 ? 201 : 200;
      const isLost = !answer.body.includes(`"x:${number}"`);
      const problem = objectProblem(answer, status, name);
      return { answer, problem: problem ?? (isLost ? 'apply not in the answer' : undefined) };
    },
  });
}

interface Stored {
  metadata: { resourceVersion: string };
  data: Record<string, string>;
}

/** Updates, each client of an object of its own, and 16 clients of 4 counters. */
export async function runUpdates(load: Load, forMs: number): Promise<void> {
  const current = new Map<number, Stored>();
  for (let client = 0; client < 16; client += 1) {
    const made = await load.must('POST', configMaps, configMap(`own-${client}`));
    current.set(client, JSON.parse(String(made.body)) as Stored);
  }
  await runCell(load, {
    name: 'update configmap c=16',
    clients: 16,
    forMs,
    operate: async (connection, number, client) => {
      const name = `own-${client}`;
      const object = current.get(client)!;
      object.data['i'] = String(number);
      const body = JSON.stringify(object);
      const answer = await connection.request('PUT', `${configMaps}/${name}`, { body });
      const problem = objectProblem(answer, 200, name);
      if (problem === undefined) current.set(client, JSON.parse(String(answer.body)) as Stored);
      return { answer, problem };
    },
  });
  await runContended(load, forMs);
}

async function runContended(load: Load, forMs: number): Promise<void> {
  const counters = [0, 1, 2, 3].map((number) => `counter-${number}`);
  for (const name of counters) await load.must('POST', configMaps, configMap(name, { n: '0' }));
  let successes = 0;
  const problems: string[] = [];
  const report = load.report.bind(load);
  await runCell(
    {
      ...load,
      report: (one) => report({ ...one, problems: [...(one.problems ?? []), ...problems] }),
    },
    {
      name: 'update contended c=16',
      clients: 16,
      forMs,
      operate: async (connection, number) => {
        const path = `${configMaps}/${counters[number % 4]!}`;
        const got = await connection.request('GET', path);
        const object = JSON.parse(String(got.body)) as Stored;
        object.data['n'] = String(Number(object.data['n']) + 1);
        const answer = await connection.request('PUT', path, { body: JSON.stringify(object) });
        if (answer.status === 200) successes += 1;
        const isExpected = answer.status === 200 || answer.status === 409;
        return { answer, problem: isExpected ? undefined : `status ${answer.status}` };
      },
    },
  );
  let sum = 0;
  for (const name of counters) {
    const got = await load.must('GET', `${configMaps}/${name}`);
    sum += Number((JSON.parse(String(got.body)) as Stored).data['n']);
  }
  if (sum !== successes) throw new Error(`counters say ${sum} after ${successes} updates`);
}

/** Deletes what runCreates made. */
export async function runDeletes(load: Load): Promise<void> {
  for (const { clients, configMapCount } of levels) {
    await runCell(load, {
      name: `delete configmap c=${clients}`,
      clients,
      count: configMapCount,
      operate: async (connection, number) => {
        const path = `${configMaps}/made-${clients}-${number}`;
        const answer = await connection.request('DELETE', path);
        const problem = answer.status === 200 ? undefined : `status ${answer.status}`;
        return { answer, problem };
      },
    });
  }
}
