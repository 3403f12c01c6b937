import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { hasReason } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { TraceStep } from '#base/trace.ts';
import { onTraceStep } from '#base/trace.ts';
import { resources } from '#client/mod.ts';
import type { WatchEvent } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import { createApiServer } from './server.ts';
import type { ApiServer } from './server.ts';
import type { TestServer } from './test-server.ts';
import { startTestServer, testUser } from './test-server.ts';

const at = { namespace: 'n' };
const map = (name: string): ConfigMap => ({ metadata: { name }, data: { a: '1' } });
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(clock?: FakeClock): Promise<TestServer> {
  const target = await startTestServer(clock === undefined ? {} : { clock });
  open.push(target);
  return target;
}

/** Another server over the same store, as after a restart. */
async function startAgain(first: TestServer): Promise<ApiServer> {
  const server = createApiServer({
    backend: first.backend,
    clock: new FakeClock(),
    random: seededRandom(2),
    log: silentLogger,
    extend: () => ({
      authenticator: { authenticate: () => Promise.resolve({ user: testUser }) },
      authorizer: { authorize: () => Promise.resolve({ decision: 'allow', reason: '' }) },
    }),
  });
  await server.start();
  open.push(server);
  return server;
}

describe('a server over a store that was used before', () => {
  test('serves what is stored, byte for byte', async () => {
    const first = await start();
    const made = await first.client.create(resources.configMaps, map('kept'), at);
    const again = await startAgain(first);
    const client = again.client(testUser, 'test');
    assert.deepEqual(await client.get(resources.configMaps, 'kept', at), made);
  });

  test('lets watchers from before its time go on', async () => {
    const first = await start();
    const a = await first.client.create<ConfigMap>(resources.configMaps, map('a'), at);
    await first.client.update(resources.configMaps, { ...a, data: { a: '2' } }, at);
    await first.client.create(resources.configMaps, map('b'), at);
    await first.client.delete(resources.configMaps, 'a', at);
    const client = (await startAgain(first)).client(testUser, 'test');
    const { resourceVersion = '' } = a.metadata;
    const events = client.watch<ConfigMap>(resources.configMaps, { ...at, resourceVersion });
    const seen: string[] = [];
    for await (const { type, object } of events) {
      const { name, resourceVersion: version } = object.metadata;
      seen.push(`${type} ${name} ${object.data?.['a']} ${version}`);
      if (seen.length === 3) {
        await client.create(resources.configMaps, map('c'), at);
      }
      if (seen.length === 4) break;
    }
    assert.deepEqual(seen, ['MODIFIED a 2 3', 'ADDED b 1 4', 'DELETED a 2 5', 'ADDED c 1 6']);
  });

  test('tells watchers from before the compaction to list again', async () => {
    const first = await start();
    await first.client.create(resources.configMaps, map('a'), at);
    await first.client.create(resources.configMaps, map('b'), at);
    await first.backend.compact(2);
    const client = (await startAgain(first)).client(testUser, 'test');
    const events = client.watch(resources.configMaps, { ...at, resourceVersion: '1' });
    await assert.rejects(
      async () => {
        for await (const _event of events) assert.fail('no event can come');
      },
      (error: Error) => {
        assert.ok(hasReason(error, 'Expired'));
        assert.match(error.message, /^too old resource version: 1 \(3\)$/);
        return true;
      },
    );
  });

  test('reads objects that another server wrote without a version', async () => {
    const first = await start();
    const value =
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","namespace":"n"}}\n';
    await first.backend.create('/registry/configmaps/n/x', () => Buffer.from(value));
    const read = await first.client.get<ConfigMap>(resources.configMaps, 'x', at);
    assert.equal(read.metadata.resourceVersion, '2');
  });
});

describe('time', () => {
  test('a watcher that wants bookmarks gets one a minute', async () => {
    const clock = new FakeClock();
    const target = await start(clock);
    const options = { ...at, allowWatchBookmarks: true, resourceVersion: '1' };
    const events = target.client.watch<ConfigMap>(resources.configMaps, options);
    const iterator = events[Symbol.asyncIterator]();
    const next = iterator.next();
    await clock.advance(60_000);
    const event = (await next).value as WatchEvent<ConfigMap>;
    assert.equal(event.type, 'BOOKMARK');
    assert.equal(event.object.metadata.resourceVersion, '1');
    await iterator.return?.();
  });

  test('a watch ends at the timeout that it asked for', async () => {
    const clock = new FakeClock();
    const target = await start(clock);
    const timersBefore = clock.pendingTimers;
    const options = { ...at, timeoutSeconds: 10, resourceVersion: '1' };
    const events = target.client.watch<ConfigMap>(resources.configMaps, options);
    const next = events[Symbol.asyncIterator]().next();
    await clock.advance(10_000);
    assert.equal((await next).done, true);
    assert.equal(clock.pendingTimers, timersBefore);
  });
});

test('a write publishes its steps in order', async () => {
  const target = await start();
  const steps: TraceStep[] = [];
  const stop = onTraceStep((step) => {
    if (step.step.startsWith('write.')) steps.push(step);
  });
  const body = Buffer.from(JSON.stringify(map('traced')));
  const path = '/api/v1/namespaces/n/configmaps';
  const headers = { 'content-type': 'application/json' };
  const answer = await target.client.raw({ method: 'POST', path, headers, body });
  stop();
  assert.equal(answer.status, 201);
  assert.deepEqual(
    steps.map((step) => step.step.slice('write.'.length)),
    [
      'authorize',
      'arrive',
      'decode',
      'default',
      'mutate',
      'prepare',
      'check',
      'validate',
      'commit',
      'store',
      'answer',
    ],
  );
  assert.equal(steps.at(-2)?.key, 'configmaps/n/traced');
});
