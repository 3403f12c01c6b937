/** Many clients change one object at once, in each way there is to change it: nothing is lost. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const path = '/api/v1/namespaces/default/configmaps/counter';
const clients = 8;
const rounds = 10;
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableControllerManager: true, datastoreEndpoint: '' });
});
after(() => api.close());

async function reset(): Promise<void> {
  await api.request('DELETE', path);
  const body = { metadata: { name: 'counter' }, data: { count: '0' } };
  const made = await api.request('POST', path.slice(0, path.lastIndexOf('/')), { body });
  assert.equal(made.status, 201);
}

/** Repeats `attempt` in all clients until each has succeeded often enough; counts the refusals. */
async function race(attempt: (client: number, round: number) => Promise<number>): Promise<number> {
  let refused = 0;
  const run = async (client: number): Promise<void> => {
    for (let round = 0; round < rounds;) {
      const status = await attempt(client, round);
      if (status === 200) round++;
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  return refused;
}

async function read(): Promise<{ count: number; object: { data: Record<string, string> } }> {
  const object = (await api.request('GET', path)).json as { data: Record<string, string> };
  return { count: Number(object.data['count']), object };
}

test('updates that name the version they saw', async () => {
  await reset();
  const refused = await race(async () => {
    const { count, object } = await read();
    object.data['count'] = String(count + 1);
    const answer = await api.request('PUT', path, { body: object });
    if (answer.status !== 200) assert.equal(answer.at('reason'), 'Conflict');
    return answer.status;
  });
  assert.equal((await read()).count, clients * rounds);
  assert.ok(refused > 0, 'nobody met another');
});

test('JSON patches that test what they saw', async () => {
  await reset();
  const headers = { 'Content-Type': 'application/json-patch+json' };
  await race(async () => {
    const { count } = await read();
    const body = [
      { op: 'test', path: '/data/count', value: String(count) },
      { op: 'replace', path: '/data/count', value: String(count + 1) },
    ];
    const answer = await api.request('PATCH', path, { headers, body });
    if (answer.status !== 200) assert.equal(answer.status, 422);
    return answer.status;
  });
  assert.equal((await read()).count, clients * rounds);
});

test('patches and applies of different fields never meet', async () => {
  await reset();
  const refused = await race(async (client, round) => {
    const key = `key-${client}-${round}`;
    if (client % 2 === 0) {
      const type = client % 4 === 0 ? 'merge' : 'strategic-merge';
      const headers = { 'Content-Type': `application/${type}-patch+json` };
      return (await api.request('PATCH', path, { headers, body: { data: { [key]: 'x' } } })).status;
    }
    const data = Object.fromEntries(
      Array.from({ length: round + 1 }, (_, i) => [`key-${client}-${i}`, 'x']),
    );
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'counter' }, data };
    const headers = { 'Content-Type': 'application/apply-patch+yaml' };
    const query = `?fieldManager=client-${client}`;
    return (await api.request('PATCH', path + query, { headers, body })).status;
  });
  const { object } = await read();
  assert.equal(refused, 0);
  assert.equal(Object.keys(object.data).length, clients * rounds + 1);
  const managers = at(object, 'metadata.managedFields.*.manager') as string[];
  for (const client of [1, 3, 5, 7]) assert.ok(managers.includes(`client-${client}`));
});

test('updates without a version take turns', async () => {
  await reset();
  const refused = await race(async (client, round) => {
    const body = { metadata: { name: 'counter' }, data: { last: `${client}/${round}` } };
    return (await api.request('PUT', path, { body })).status;
  });
  assert.equal(refused, 0);
});
