import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Lease } from '#schema/types.ts';
import { runLeaderElection } from './leader-election.ts';
import { resources } from './resources.ts';
import { createFakeClient } from './testing/mod.ts';

function setUp() {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const leading: string[] = [];
  const join = (identity: string, releaseOnStop = false) => {
    const stop = new AbortController();
    const result = runLeaderElection({
      client,
      clock,
      random: seededRandom(identity.length),
      log: silentLogger,
      signal: stop.signal,
      name: 'kube-controller-manager',
      identity,
      releaseOnStop,
      async onStartedLeading(signal) {
        leading.push(`+${identity}`);
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        leading.push(`-${identity}`);
      },
    });
    return { stop, result };
  };
  const lease = (): Lease['spec'] =>
    client.stored<Lease>(resources.leases, 'kube-system/kube-controller-manager')?.spec;
  return { clock, client, leading, join, lease };
}

test('one candidate leads and renews, the others wait', async () => {
  const { clock, leading, join, lease } = setUp();
  const first = join('a');
  await clock.advance(0);
  const second = join('b');
  await clock.advance(60_000);
  assert.deepEqual(leading, ['+a']);
  assert.deepEqual(lease(), {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:01:00.000000Z',
    leaseTransitions: 0,
  });
  second.stop.abort();
  first.stop.abort();
  assert.deepEqual(await Promise.all([first.result, second.result]), [false, false]);
});

test('a leader that falls silent is replaced 15 s after its last renewal', async () => {
  const { clock, leading, join, lease } = setUp();
  const first = join('a');
  await clock.advance(1000);
  const second = join('bb');
  await clock.advance(1000);
  first.stop.abort();
  await clock.advance(12_000);
  assert.deepEqual(leading, ['+a', '-a']);
  await clock.advance(10_000);
  assert.deepEqual(leading, ['+a', '-a', '+bb']);
  assert.deepEqual([lease()?.holderIdentity, lease()?.leaseTransitions], ['bb', 1]);
  second.stop.abort();
  await second.result;
});

test('a lease given back is taken at the next try', async () => {
  const { clock, leading, join } = setUp();
  const first = join('a', true);
  await clock.advance(1000);
  const second = join('b');
  await clock.advance(1000);
  first.stop.abort();
  await clock.advance(4500);
  assert.deepEqual(leading, ['+a', '-a', '+b']);
  second.stop.abort();
});

test('a leader that cannot renew for 10 s stops leading', async () => {
  const { clock, client, leading, join } = setUp();
  const { result } = join('a');
  await clock.advance(1000);
  client.intercept(() => new Error('no route'));
  await clock.advance(8900);
  assert.deepEqual(leading, ['+a']);
  await clock.advance(4000);
  assert.equal(await result, true);
  assert.deepEqual(leading, ['+a', '-a']);
});

test('a renewal that hangs does not keep leadership', async () => {
  const { clock, client, leading, join } = setUp();
  const { result } = join('a');
  await clock.advance(1000);
  client.update = () => new Promise(() => undefined);
  await clock.advance(13_000);
  assert.equal(await result, true);
  assert.deepEqual(leading, ['+a', '-a']);
});
