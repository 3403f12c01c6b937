import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '#store/mod.ts';
import { resources } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import { startTestServer } from '../test-server.ts';

const key = '/registry/configmaps/default/foreign';

/** Puts an object there as another program would, with a field that its kind does not have. */
async function putForeign(backend: Backend): Promise<void> {
  const value = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'foreign', namespace: 'default', uid: 'u', odd: 1 },
    data: { a: '1' },
    surplus: { deep: [1] },
  };
  await backend.create(key, () => Buffer.from(JSON.stringify(value)));
}

async function storedFields(backend: Backend): Promise<Record<string, unknown>> {
  const stored = await backend.get(key);
  return JSON.parse(String(stored?.value)) as Record<string, unknown>;
}

test('a patch drops unknown fields also where it touches nothing', async () => {
  const { backend, client, close } = await startTestServer();
  await putForeign(backend);
  const at = { namespace: 'default' };
  const patch = { type: 'merge', body: { data: { b: '2' } } } as const;
  await client.patch<ConfigMap>(resources.configMaps, 'foreign', patch, at);
  const stored = await storedFields(backend);
  assert.deepEqual(stored['data'], { a: '1', b: '2' });
  assert.equal('surplus' in stored, false);
  assert.equal('odd' in (stored['metadata'] as object), false);
  await close();
});

test('a strict apply does not mind what others stored', async () => {
  const { backend, client, close } = await startTestServer();
  await putForeign(backend);
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'foreign' },
    data: { c: '3' },
  };
  const options = { namespace: 'default', fieldManager: 'm' };
  await client.patch(resources.configMaps, 'foreign', { type: 'apply', body }, options);
  const stored = await storedFields(backend);
  assert.deepEqual(stored['data'], { a: '1', c: '3' });
  assert.equal('surplus' in stored, false);
  await close();
});
