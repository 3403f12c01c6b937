import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Pod, PodStatus } from '#schema/types.ts';
import { createStatusWriter } from './status-writer.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
};

function writerOver(before: PodStatus = {}) {
  const clock = new FakeClock();
  const stored: Pod = { ...pod, status: before };
  const client = createFakeClient({ clock, objects: [stored] });
  const writer = createStatusWriter({
    client,
    clock,
    log: silentLogger,
    signal: new AbortController().signal,
    apiPod: () => client.stored<Pod>(resources.pods, 'default/p') ?? pod,
  });
  const sent = () => client.actions.map(({ body }) => (body as { status: PodStatus }).status);
  return { client, clock, writer, sent };
}

test('only the newest of many statuses is sent behind the one in flight', async () => {
  const { writer, sent, client } = writerOver();
  for (const message of ['a', 'b', 'c']) writer.set(pod, { phase: 'Pending', message });
  await writer.flushed('u');
  assert.deepEqual(
    sent().map(({ message }) => message),
    ['a', 'c'],
  );
  writer.set(pod, { phase: 'Pending', message: 'c' });
  await writer.flushed('u');
  assert.equal(client.actions.length, 2);
});

test('conditions of others stay, fields that went are taken away', async () => {
  const ready = { type: 'Ready', status: 'False', reason: 'X', message: 'y' };
  const gate = { type: 'gate', status: 'True' };
  const { writer, client } = writerOver({ reason: 'Old', conditions: [ready, gate] });
  writer.set(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
  await writer.flushed('u');
  const status = client.stored<Pod>(resources.pods, 'default/p')?.status;
  assert.deepEqual(status?.conditions, [{ type: 'Ready', status: 'True' }, gate]);
  assert.equal(status?.reason, undefined);
});

test('a failure is tried again, a pod that is gone is not', async () => {
  const { writer, client, clock, sent } = writerOver();
  let failures = 2;
  client.intercept(() => (failures-- > 0 ? new Error('down') : undefined));
  writer.set(pod, { phase: 'Running' });
  await clock.advance(200);
  await clock.advance(400);
  await writer.flushed('u');
  assert.equal(sent().length, 3);
  client.remove(resources.pods, 'default/p');
  writer.set(pod, { phase: 'Failed' });
  await writer.flushed('u');
  await clock.advance(60_000);
  assert.equal(sent().length, 4);
});

test('what others say is not sent back, conditions that no longer hold go', async () => {
  const resize = { type: 'PodResizePending', status: 'True', reason: 'Deferred' };
  const gate = { type: 'gate', status: 'True' };
  const { writer, client, sent } = writerOver({ conditions: [resize, gate] });
  const ready = { type: 'Ready', status: 'True' };
  writer.set(pod, { phase: 'Running', conditions: [ready, gate] });
  await writer.flushed('u');
  assert.deepEqual(client.stored<Pod>(resources.pods, 'default/p')?.status?.conditions, [
    gate,
    ready,
  ]);
  writer.set(pod, { phase: 'Running', conditions: [ready, { type: 'gate', status: 'False' }] });
  await writer.flushed('u');
  assert.equal(sent().length, 1);
});
