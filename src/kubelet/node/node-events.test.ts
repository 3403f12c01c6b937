import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { CoreV1Event } from '#schema/types.ts';
import { startFakeKubelet } from '../fake-kubelet.ts';

test('a kubelet that starts tells how its node is, each time', async (context) => {
  const fake = await startFakeKubelet();
  const status = (reason: string): string =>
    `Normal ${reason}: Node node-1 status is now: ${reason}`;
  const atStart = [
    status('NodeHasNoDiskPressure'),
    status('NodeHasSufficientMemory'),
    status('NodeHasSufficientPID'),
    'Normal Starting: Starting kubelet.',
  ];
  const expected = [...atStart, status('NodeReady')];
  const told = (): string[] =>
    fake.client
      .all<CoreV1Event>(resources.events)
      .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
      .filter((text) => expected.includes(text))
      .sort();
  await fake.until('the events', () => told().length >= expected.length);
  assert.deepEqual(told(), [...expected].sort());
  await fake.close();
  const stopping = new AbortController();
  const kubelet = await fake.build();
  context.after(async () => {
    stopping.abort();
    await kubelet.done();
  });
  void kubelet.start(stopping.signal);
  const twice = [...expected, ...atStart];
  await fake.until('those of the second', () => told().length >= twice.length);
  assert.deepEqual(told(), twice.sort());
});
