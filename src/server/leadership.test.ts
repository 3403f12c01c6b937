import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { FakeClient } from '#client/testing/mod.ts';
import type { CoreV1Event, Lease } from '#schema/types.ts';
import { isSharedDatastore, runWhileLeading } from './leadership.ts';

for (const [endpoint, isShared] of [
  ['', false],
  ['memory://', false],
  ['sqlite:///tmp/state.db', false],
  ['postgres://host/k3ts', true],
  ['mysql://host/k3ts', true],
  ['https://etcd:2379', true],
] as const) {
  test(`the datastore "${endpoint}" ${isShared ? 'may have' : 'has'} ${isShared ? 'other servers' : 'one server'}`, () => {
    assert.equal(isSharedDatastore(endpoint), isShared);
  });
}

function candidate(client: FakeClient, clock: FakeClock, host: string, seed: number) {
  const stop = new AbortController();
  const state = { isWorking: false };
  const done = runWhileLeading({
    client,
    clock,
    random: seededRandom(seed),
    log: silentLogger,
    signal: stop.signal,
    name: 'kube-controller-manager',
    host,
    isShared: true,
    async work(signal) {
      state.isWorking = true;
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
      state.isWorking = false;
    },
  });
  return { stop, state, done };
}

test('one of two servers works, and the other when the first has stopped', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const a = candidate(client, clock, 'a', 1);
  await clock.advance(100);
  const b = candidate(client, clock, 'b', 2);
  await clock.advance(10_000);
  assert.deepEqual([a.state.isWorking, b.state.isWorking], [true, false]);
  const lease = () =>
    client.stored<Lease>(resources.leases, 'kube-system/kube-controller-manager')?.spec;
  assert.match(lease()?.holderIdentity ?? '', /^a_[0-9a-f-]{36}$/);
  a.stop.abort();
  await a.done;
  await clock.advance(10_000);
  assert.deepEqual([a.state.isWorking, b.state.isWorking], [false, true]);
  assert.match(lease()?.holderIdentity ?? '', /^b_/);
  const told = client
    .all<CoreV1Event>(resources.events)
    .map(({ reason, message = '', involvedObject }) => [
      reason,
      message.replace(/_[0-9a-f-]+ /, '_* '),
      involvedObject.kind,
    ]);
  assert.deepEqual(told, [
    ['LeaderElection', 'a_* became leader', 'Lease'],
    ['LeaderElection', 'b_* became leader', 'Lease'],
  ]);
  b.stop.abort();
  await b.done;
});

test('without other servers the work begins at once and without a Lease', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const stop = new AbortController();
  let began = 0;
  const done = runWhileLeading({
    client,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    signal: stop.signal,
    name: 'kube-scheduler',
    host: 'a',
    isShared: false,
    async work(signal) {
      began += 1;
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
    },
  });
  await clock.advance(10_000);
  assert.equal(began, 1);
  assert.deepEqual(client.all(resources.leases), []);
  stop.abort();
  await done;
});
