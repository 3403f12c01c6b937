import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { CoreV1Event, Pod } from '#schema/types.ts';
import { resources } from '../resources.ts';
import { createFakeClient } from '../testing/mod.ts';
import { createEventRecorder } from './event-recorder.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' },
};

function setUp() {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const stop = new AbortController();
  const recorder = createEventRecorder({
    client,
    clock,
    random: seededRandom(3),
    log: silentLogger,
    component: 'kubelet',
    host: 'n1',
    signal: stop.signal,
  });
  const events = (): CoreV1Event[] => client.all<CoreV1Event>(resources.events);
  return { clock, client, recorder, events, stop };
}

test('writes an event with the fields of upstream', async () => {
  const { recorder, events } = setUp();
  const fieldPath = 'spec.containers{main}';
  recorder.event(pod, 'Normal', 'Started', 'Container started', { fieldPath });
  await recorder.flush();
  const [event] = events();
  assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
  assert.equal(event?.metadata.namespace, 'shop');
  assert.deepEqual(event?.involvedObject, {
    kind: 'Pod',
    namespace: 'shop',
    name: 'web',
    uid: 'u1',
    apiVersion: 'v1',
    resourceVersion: '7',
    fieldPath,
  });
  assert.deepEqual(event?.source, { component: 'kubelet', host: 'n1' });
  assert.deepEqual(
    [event?.count, event?.type, event?.firstTimestamp, event?.lastTimestamp],
    [1, 'Normal', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  );
  assert.deepEqual([event?.reportingComponent, event?.reportingInstance], ['kubelet', 'n1']);
});

test('a repeat counts up and moves lastTimestamp; events of nodes go to default', async () => {
  const { clock, recorder, events } = setUp();
  recorder.event(pod, 'Warning', 'BackOff', 'Back-off');
  await clock.advance(60_000);
  recorder.event(pod, 'Warning', 'BackOff', 'Back-off');
  recorder.event({ kind: 'Node', name: 'n1' }, 'Normal', 'NodeReady', 'ready');
  await recorder.flush();
  const [node, repeated] = events();
  assert.equal(node?.metadata.namespace, 'default');
  assert.deepEqual(
    [repeated?.count, repeated?.firstTimestamp, repeated?.lastTimestamp],
    [2, '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  );
});

test('many messages with one reason are folded into one event', async () => {
  const { recorder, events } = setUp();
  for (let i = 0; i < 15; i++) recorder.event(pod, 'Normal', 'Same', `message ${i}`);
  await recorder.flush();
  const folded = events().filter((event) => event.message?.startsWith('(combined') === true);
  assert.equal(events().length, 10);
  assert.equal(folded.length, 1);
  assert.equal(folded[0]?.message, '(combined from similar events): message 14');
  assert.equal(folded[0]?.count, 6);
});

test('a flood about one object is cut at 25, and one more each five minutes', async () => {
  const { clock, recorder, events } = setUp();
  for (let i = 0; i < 100; i++) recorder.event(pod, 'Normal', `Reason${i}`, 'text');
  await recorder.flush();
  assert.equal(events().length, 25);
  await clock.advance(300_000);
  for (let i = 0; i < 10; i++) recorder.event(pod, 'Normal', `Later${i}`, 'text');
  await recorder.flush();
  assert.equal(events().length, 26);
});

test('a counted event that has expired is written anew', async () => {
  const { client, recorder, events } = setUp();
  recorder.event(pod, 'Normal', 'Pulled', 'pulled');
  await recorder.flush();
  const [first] = events();
  client.remove(resources.events, `shop/${first?.metadata.name}`);
  recorder.event(pod, 'Normal', 'Pulled', 'pulled');
  await recorder.flush();
  assert.equal(events().length, 1);
  assert.equal(events()[0]?.count, 2);
});

test('keeps an event over a server that is away, and gives up in the end', async () => {
  const { clock, client, recorder, events, stop } = setUp();
  let isAway = true;
  client.intercept(() => (isAway ? new Error('connection refused') : undefined));
  recorder.event(pod, 'Normal', 'Kept', 'text');
  await clock.advance(25_000);
  isAway = false;
  await clock.advance(10_000);
  await recorder.flush();
  assert.deepEqual(
    events().map((event) => event.reason),
    ['Kept'],
  );
  isAway = true;
  client.clearActions();
  recorder.event(pod, 'Normal', 'Lost', 'text');
  await clock.advance(600_000);
  assert.equal(client.actions.length, 12);
  stop.abort();
});
