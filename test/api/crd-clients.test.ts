/** Programs that work with custom resources: informers, garbage collection, big definitions. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ApiextensionsV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
} from '@kubernetes/client-node';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';

import { systemClock } from '#base/clock.ts';
import { startTestApi, untilMs } from './server.ts';
import type { TestApi } from './server.ts';

const group = 'clients.example.com';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

interface Task extends KubernetesObject {
  spec?: { note?: string; more?: string };
}

function definition(properties: object): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `tasks.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'tasks', kind: 'Task' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties } },
            },
          },
        },
      ],
    },
  };
}

describe('clients of custom resources', () => {
  let api: TestApi;
  let config: KubeConfig;
  const namespace = 'default';
  const tasks = `/apis/${group}/v1/namespaces/${namespace}/tasks`;
  const note = { type: 'string' };
  const task = (name: string, more: object = {}): object => ({
    apiVersion: `${group}/v1`,
    kind: 'Task',
    metadata: { name, ...more },
    spec: { note: name },
  });

  before(async () => {
    api = await startTestApi();
    config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const extensions = config.makeApiClient(ApiextensionsV1Api);
    await extensions.createCustomResourceDefinition({ body: definition({ note }) as never });
    await api.until(tasks, ({ status }) => status === 200);
  });
  after(async () => await api.close());

  async function until(what: string, condition: () => boolean): Promise<void> {
    const endMs = systemClock.monotonicMs() + untilMs;
    while (!condition()) {
      assert.ok(systemClock.monotonicMs() < endMs, what);
      await systemClock.sleep(20);
    }
  }

  it('an informer misses nothing while the definition changes', async () => {
    const objects = config.makeApiClient(CustomObjectsApi);
    const list = async (): Promise<KubernetesListObject<Task>> =>
      (await objects.listNamespacedCustomObject({
        group,
        version: 'v1',
        namespace,
        plural: 'tasks',
      })) as KubernetesListObject<Task>;
    const informer = makeInformer<Task>(config, tasks, list);
    const seen = new Map<string, Task>();
    let isStopped = false;
    const restart = (): void => {
      if (!isStopped) informer.start().catch(() => undefined);
    };
    for (const event of ['add', 'update'] as const) {
      informer.on(event, (object: Task) => seen.set(object.metadata?.name ?? '', object));
    }
    informer.on('error', restart);
    await informer.start();
    try {
      await api.request('POST', tasks, { body: task('before') });
      await until('the first task', () => seen.has('before'));
      for (let round = 0; round < 3; round++) {
        const path = `${definitions}/tasks.${group}`;
        const current = await api.request('GET', path);
        const more = { type: 'string', default: `r${round}` };
        const { spec } = definition({ note, more }) as { spec: object };
        const changed = { ...(current.json as object), spec };
        const answer = await api.request('PUT', path, { body: changed });
        assert.equal(answer.status, 200, answer.text);
        await api.request('POST', tasks, { body: task(`round-${round}`) });
      }
      await until('all tasks', () => [0, 1, 2].every((round) => seen.has(`round-${round}`)));
      assert.equal(seen.get('round-2')?.spec?.note, 'round-2');
    } finally {
      isStopped = true;
      await informer.stop();
    }
  });

  it('dependents go with their owner, and all with their namespace', async () => {
    const owner = await api.request('POST', tasks, { body: task('owner') });
    const ownerReferences = [
      { apiVersion: `${group}/v1`, kind: 'Task', name: 'owner', uid: owner.at('metadata.uid') },
    ];
    await api.request('POST', tasks, { body: task('child', { ownerReferences }) });
    await api.request('DELETE', `${tasks}/owner`);
    await api.until(`${tasks}/child`, ({ status }) => status === 404);
    await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'gone' } } });
    const other = `/apis/${group}/v1/namespaces/gone/tasks`;
    const made = await api.request('POST', other, { body: task('inside') });
    assert.equal(made.status, 201, made.text);
    await api.request('DELETE', '/api/v1/namespaces/gone');
    await api.until('/api/v1/namespaces/gone', ({ status }) => status === 404);
    assert.equal((await api.request('GET', `${other}/inside`)).status, 404);
  });

  it('metadata alone, generated names and collections are as for other kinds', async () => {
    const body = { ...task(''), metadata: { generateName: 'gen-', labels: { batch: 'x' } } };
    for (let i = 0; i < 3; i++)
      assert.equal((await api.request('POST', tasks, { body })).status, 201);
    const partial = await api.request('GET', `${tasks}?labelSelector=batch%3Dx`, {
      headers: { Accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    });
    assert.equal(partial.at('kind'), 'PartialObjectMetadataList');
    assert.equal((partial.at('items') as unknown[]).length, 3);
    assert.equal(partial.at('items.0.spec'), undefined);
    await api.request('DELETE', `${tasks}?labelSelector=batch%3Dx`);
    const left = await api.request('GET', `${tasks}?labelSelector=batch%3Dx`);
    assert.deepEqual(left.at('items'), []);
  });

  it('a definition of a megabyte is taken and explained', async () => {
    const field = (depth: number): object =>
      depth === 0
        ? { type: 'string', maxLength: 63, description: 'x'.repeat(380) }
        : {
            type: 'object',
            properties: Object.fromEntries(
              Array.from({ length: 7 }, (_, i) => [`field${i}`, field(depth - 1)]),
            ),
          };
    const big = {
      ...definition({ big: field(4), note }),
      metadata: { name: `bigs.${group}` },
    } as unknown as { spec: { names: object } };
    big.spec.names = { plural: 'bigs', kind: 'Big' };
    const body = JSON.stringify(big);
    assert.ok(body.length > 900_000, `${body.length} bytes`);
    const made = await api.request('POST', definitions, { body });
    assert.equal(made.status, 201, made.text.slice(0, 500));
    const path = `/apis/${group}/v1/namespaces/${namespace}/bigs`;
    await api.until(path, ({ status }) => status === 200);
    const spec = { big: { field0: { field1: { field2: { field3: 'y', field9: 'pruned' } } } } };
    const object = { apiVersion: `${group}/v1`, kind: 'Big', metadata: { name: 'a' }, spec };
    const answer = await api.request('POST', path, { body: object });
    assert.deepEqual(answer.at('spec.big.field0.field1.field2'), { field3: 'y' });
    const explained = await api.kubectl(['explain', 'bigs.spec.big.field6.field0']);
    assert.match(explained.stdout, /field3/);
  });
});
