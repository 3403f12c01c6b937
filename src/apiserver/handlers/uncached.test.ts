import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { hasReason } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { WatchEvent } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { CoreV1Event } from '#schema/types.ts';
import type { PrefixCache } from '../cache/mod.ts';
import type { TestServer } from '../test-server.ts';
import { startTestServer } from '../test-server.ts';

const gvr = { group: '', version: 'v1', resource: 'events' };
const at = { namespace: 'n' };
const clock = new FakeClock();
let target: TestServer;
let cache: PrefixCache;

before(async () => {
  target = await startTestServer({ clock });
  const found = target.server.core.registry.byResource(gvr)?.cache;
  assert.ok(found);
  cache = found;
});
after(() => target.close());
beforeEach(async () => {
  await target.client.deleteCollection(gvr, at);
});

const event = (name: string, extra: Partial<CoreV1Event> = {}): CoreV1Event => ({
  metadata: { name, namespace: 'n' },
  involvedObject: { kind: 'Pod', name: `of-${name}`, namespace: 'n' },
  reason: 'Started',
  message: 'it did',
  type: 'Normal',
  ...extra,
});

const create = async (name: string, extra: Partial<CoreV1Event> = {}): Promise<CoreV1Event> =>
  await target.client.create<CoreV1Event>(gvr, event(name, extra), at);

/** Lets the latest changes get old: the objects are in the store only. */
async function forget(): Promise<void> {
  await clock.advance(90_000);
  assert.equal(cache.heldSize, 0);
}

async function take(
  events: AsyncIterable<WatchEvent<CoreV1Event>>,
  count: number,
): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type, object } of events) {
    seen.push(`${type} ${object.metadata.name}`);
    if (seen.length === count) break;
  }
  return seen;
}

const namesOf = (items: readonly CoreV1Event[]): string =>
  items.map(({ metadata }) => metadata.name).join(' ');

describe('objects that are not in memory', () => {
  test('are read, changed by patch and update, and deleted', async () => {
    const made = await create('a');
    await forget();
    assert.deepEqual(await target.client.get(gvr, 'a', at), made);
    assert.deepEqual(await target.client.get(gvr, 'a', { ...at, resourceVersion: '0' }), made);
    await forget();
    const patch = { type: 'merge', body: { count: 2 } } as const;
    const patched = await target.client.patch<CoreV1Event>(gvr, 'a', patch, at);
    assert.equal(patched.count, 2);
    await forget();
    await assert.rejects(
      target.client.update(gvr, { ...made, message: 'stale' }, at),
      (error: unknown) => hasReason(error, 'Conflict'),
    );
    const updated = await target.client.update(gvr, { ...patched, message: 'again' }, at);
    assert.equal(updated.message, 'again');
    await forget();
    const same = await target.client.update<CoreV1Event>(gvr, updated, at);
    assert.equal(same.metadata.resourceVersion, updated.metadata.resourceVersion);
    await target.client.delete(gvr, 'a', at);
    const isGone = (error: unknown): boolean => hasReason(error, 'NotFound');
    await assert.rejects(target.client.get(gvr, 'a', at), isGone);
    await assert.rejects(target.client.delete(gvr, 'a', at), isGone);
    await assert.rejects(target.client.patch(gvr, 'a', patch, at), isGone);
  });

  test('keep their names, also from a dry run', async () => {
    await create('a');
    await forget();
    const isTaken = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
    await assert.rejects(create('a'), isTaken);
    await assert.rejects(target.client.create(gvr, event('a'), { ...at, dryRun: true }), isTaken);
    const tried = await target.client.create(gvr, event('b'), { ...at, dryRun: true });
    assert.equal(tried.metadata.name, 'b');
    assert.equal(cache.size, 1);
  });

  test('are counted, and deleted together', async () => {
    for (let i = 0; i < 30; i++) await create(`e-${i}`);
    await forget();
    assert.equal(cache.size, 30);
    await target.client.deleteCollection(gvr, {
      ...at,
      fieldSelector: 'involvedObject.name=of-e-7',
    });
    assert.equal(cache.size, 29);
    await target.client.deleteCollection(gvr, at);
    assert.equal(cache.size, 0);
    assert.deepEqual((await target.client.list(gvr, at)).items, []);
  });

  test('end with their hour, which watchers are told', async () => {
    await create('a');
    await forget();
    const { metadata } = await target.client.list(gvr, at);
    const watch = target.client.watch<CoreV1Event>(gvr, {
      ...at,
      resourceVersion: metadata.resourceVersion,
      fieldSelector: 'involvedObject.name=of-a',
      timeoutSeconds: 10_000,
    });
    const told = take(watch, 1);
    await clock.advance(3_600_000);
    assert.deepEqual(await told, ['DELETED a']);
    assert.equal(cache.size, 0);
  });
});

describe('lists of what is not in memory', () => {
  test('go page by page through one state, whatever changes', async () => {
    for (let i = 0; i < 7; i++) await create(`e-${i}`);
    await forget();
    const first = await target.client.list<CoreV1Event>(gvr, { ...at, limit: 3 });
    assert.equal(namesOf(first.items), 'e-0 e-1 e-2');
    assert.equal(first.metadata.remainingItemCount, 4);
    await target.client.delete(gvr, 'e-4', at);
    await create('e-35');
    const patch = { type: 'merge', body: { message: 'changed' } } as const;
    await target.client.patch(gvr, 'e-5', patch, at);
    const next = { ...at, limit: 3, continue: first.metadata.continue };
    const second = await target.client.list<CoreV1Event>(gvr, next);
    assert.equal(namesOf(second.items), 'e-3 e-4 e-5');
    assert.equal(second.items[2]?.message, 'it did');
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(second.metadata.remainingItemCount, 1);
    const rest = { ...at, limit: 3, continue: second.metadata.continue };
    const last = await target.client.list<CoreV1Event>(gvr, rest);
    assert.equal(namesOf(last.items), 'e-6');
    assert.equal(last.metadata.continue, undefined);
    const now = await target.client.list<CoreV1Event>(gvr, at);
    assert.equal(namesOf(now.items), 'e-0 e-1 e-2 e-3 e-35 e-5 e-6');
    const exact = { resourceVersion: first.metadata.resourceVersion };
    const then = await target.client.list<CoreV1Event>(gvr, {
      ...at,
      ...exact,
      resourceVersionMatch: 'Exact',
    });
    assert.equal(namesOf(then.items), 'e-0 e-1 e-2 e-3 e-4 e-5 e-6');
  });

  test('take the limit at version 0 too, as the store does it upstream', async () => {
    for (let i = 0; i < 4; i++) await create(`e-${i}`);
    const page = await target.client.list<CoreV1Event>(gvr, {
      ...at,
      limit: 2,
      resourceVersion: '0',
    });
    assert.equal(namesOf(page.items), 'e-0 e-1');
    assert.equal(page.metadata.remainingItemCount, 2);
  });

  test('select by fields and labels, with limits', async () => {
    const labels = { team: 'a' };
    for (let i = 0; i < 6; i++) {
      const metadata = { name: `e-${i}`, namespace: 'n', ...(i % 2 === 0 ? { labels } : {}) };
      await create(`e-${i}`, { metadata, reason: i < 3 ? 'Pulled' : 'Started' });
    }
    await forget();
    const select = async (options: object): Promise<string> => {
      const list = await target.client.list<CoreV1Event>(gvr, { ...at, ...options });
      assert.equal(list.metadata.remainingItemCount, undefined);
      const more = list.metadata.continue === undefined ? '' : ' …';
      return namesOf(list.items) + more;
    };
    assert.equal(await select({ fieldSelector: 'involvedObject.name=of-e-4' }), 'e-4');
    assert.equal(await select({ fieldSelector: 'reason=Pulled' }), 'e-0 e-1 e-2');
    assert.equal(await select({ fieldSelector: 'reason!=Pulled' }), 'e-3 e-4 e-5');
    assert.equal(
      await select({ fieldSelector: 'involvedObject.fieldPath=' }),
      'e-0 e-1 e-2 e-3 e-4 e-5',
    );
    assert.equal(await select({ labelSelector: 'team=a' }), 'e-0 e-2 e-4');
    assert.equal(await select({ fieldSelector: 'reason=Pulled', limit: 2 }), 'e-0 e-1 …');
    assert.equal(await select({ fieldSelector: 'metadata.name=e-1' }), 'e-1');
    assert.equal(await select({ fieldSelector: 'metadata.name=e-1,reason=Started' }), '');
    assert.equal(await select({ fieldSelector: 'metadata.name=e' }), '');
    // the value is only part of another field
    assert.equal(await select({ fieldSelector: 'reason=did' }), '');
  });
});

describe('watches of what is not in memory', () => {
  test('begin with what there is, and the bookmark that ends it', async () => {
    for (let i = 0; i < 3; i++) await create(`e-${i}`);
    await forget();
    const watch = target.client.watch<CoreV1Event>(gvr, {
      ...at,
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersion: '',
    });
    const seen: string[] = [];
    for await (const { type, object } of watch) {
      seen.push(`${type} ${object.metadata.name}`);
      if (type === 'BOOKMARK') {
        const { annotations } = object.metadata;
        assert.equal(annotations?.['k8s.io/initial-events-end'], 'true');
        await create('e-3');
      }
      if (seen.length === 5) break;
    }
    assert.deepEqual(seen, ['ADDED e-0', 'ADDED e-1', 'ADDED e-2', 'BOOKMARK ', 'ADDED e-3']);
  });

  test('start at versions that the ring no longer knows', async () => {
    const made = await create('a');
    const { resourceVersion } = made.metadata;
    const patch = { type: 'merge', body: { reason: 'Killing' } } as const;
    await target.client.patch(gvr, 'a', patch, at);
    await target.client.delete(gvr, 'a', at);
    await create('b', { reason: 'Killing' });
    await forget();
    const from = { ...at, resourceVersion };
    const all = target.client.watch<CoreV1Event>(gvr, from);
    assert.deepEqual(await take(all, 3), ['MODIFIED a', 'DELETED a', 'ADDED b']);
    const started = target.client.watch<CoreV1Event>(gvr, {
      ...from,
      fieldSelector: 'reason=Started',
    });
    assert.deepEqual(await take(started, 1), ['DELETED a']);
    const killing = target.client.watch<CoreV1Event>(gvr, {
      ...from,
      fieldSelector: 'reason=Killing',
    });
    assert.deepEqual(await take(killing, 3), ['ADDED a', 'DELETED a', 'ADDED b']);
  });

  test('tell that a version is too old in the words of the store', async () => {
    const { metadata } = await create('a');
    await target.client.patch(gvr, 'a', { type: 'merge', body: { count: 2 } }, at);
    await create('b');
    await forget();
    await target.backend.compact(target.backend.currentRevision);
    const old = { ...at, resourceVersion: metadata.resourceVersion };
    await assert.rejects(take(target.client.watch<CoreV1Event>(gvr, old), 1), (error: unknown) => {
      assert.ok(hasReason(error, 'Expired'));
      assert.match(
        (error as Error).message,
        /^The resourceVersion for the provided watch is too old/,
      );
      return true;
    });
  });

  test('see a change of an old object leave and enter their selection', async () => {
    await create('a');
    await create('b', { reason: 'Killing' });
    await forget();
    const { metadata } = await target.client.list(gvr, at);
    const watch = target.client.watch<CoreV1Event>(gvr, {
      ...at,
      resourceVersion: metadata.resourceVersion,
      fieldSelector: 'reason=Started',
    });
    const told = take(watch, 3);
    const reason = (to: string) => ({ type: 'merge', body: { reason: to } }) as const;
    await target.client.patch(gvr, 'b', reason('Started'), at);
    await target.client.patch(gvr, 'a', reason('Killing'), at);
    await target.client.patch(gvr, 'b', reason('Started'), at);
    await target.client.delete(gvr, 'b', at);
    assert.deepEqual(await told, ['ADDED b', 'DELETED a', 'DELETED b']);
  });
});

test('both groups show the events of the one storage', async () => {
  await create('a');
  await forget();
  const newer = { group: 'events.k8s.io', version: 'v1', resource: 'events' };
  const list = await target.client.list(newer, {
    ...at,
    fieldSelector: 'regarding.name=of-a',
  });
  assert.deepEqual(
    list.items.map(({ metadata, ...rest }) => [metadata.name, (rest as { note?: string }).note]),
    [['a', 'it did']],
  );
  assert.equal(target.server.core.registry.byResource(newer)?.cache, cache);
  assert.equal(target.server.core.registry.byResource(resources.pods)?.cache?.isComplete, true);
});
