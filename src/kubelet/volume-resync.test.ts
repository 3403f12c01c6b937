import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import { startFakeKubelet, testPod } from './fake-kubelet.ts';

test('labels that change are in the volumes of a pod at once, other sources in time', async (context) => {
  const fake = await startFakeKubelet();
  context.after(() => fake.close());
  const { create, until, phase, pass, client, order } = fake;
  const volumes = [{ name: 'v', emptyDir: {} }];
  const pod = testPod('p', { volumes });
  await create({ ...pod, metadata: { ...pod.metadata, labels: { app: 'one' } } });
  await until('running', () => phase('p') === 'Running');
  const resyncs = (): string[] => order.filter((step) => step.startsWith('resync'));
  await pass(1_000);
  assert.deepEqual(resyncs(), []);
  const body = { metadata: { labels: { app: 'two' } } };
  await client.patch(resources.pods, 'p', { type: 'merge', body }, { namespace: 'default' });
  await until('the new label', () => resyncs().includes('resync two'));
  await pass(20_000, 1_000);
  assert.equal(resyncs().length, 1);
  await pass(100_000, 5_000);
  assert.ok(resyncs().length > 1);
});
