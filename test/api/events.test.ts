/**
 * Events, which the server reads from its datastore: lists with selectors and limits, watches from
 * versions, changes, deletes, the end of their hour; over HTTP and through kubectl. After a restart
 * nothing of them is in memory.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import { at } from './answer.ts';
import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';
import type { WatchEvent } from './watch-reader.ts';

const events = '/api/v1/namespaces/here/events';
const newEvents = '/apis/events.k8s.io/v1/namespaces/here/events';
const merge = { 'Content-Type': 'application/strategic-merge-patch+json' };
const total = 12;
let api: TestApi;

const event = (name: string, extra: object = {}): object => ({
  metadata: { name, namespace: 'here', labels: { of: name.replace(/\d/g, '') } },
  involvedObject: {
    kind: 'Pod',
    apiVersion: 'v1',
    name: `pod-${name}`,
    namespace: 'here',
    uid: `uid-${name}`,
  },
  reason: 'Started',
  message: `Started ${name}`,
  type: 'Normal',
  source: { component: 'kubelet' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:00:00Z',
  count: 1,
  ...extra,
});

async function create(name: string, extra: object = {}): Promise<Answer> {
  const made = await api.request('POST', events, { body: event(name, extra) });
  assert.equal(made.status, 201, made.text);
  return made;
}

const namesOf = (list: Answer): string[] =>
  (list.at('items') as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

const toldBy = (item: WatchEvent | undefined): string =>
  [item?.type, at(item?.object, 'metadata.name'), at(item?.object, 'reason')].join(' ');

before(async () => {
  api = await startTestApi({ datastoreEndpoint: '' });
  const body = { metadata: { name: 'here' } };
  assert.equal((await api.request('POST', '/api/v1/namespaces', { body })).status, 201);
  for (let i = 10; i < 10 + total; i++) {
    await create(`e${i}`, i % 3 === 0 ? { reason: 'Killing', type: 'Warning' } : {});
  }
  await api.restart();
});
after(() => api.close());

describe('lists', () => {
  test('go through one state in pages, whatever is written meanwhile', async () => {
    const first = await api.request('GET', `${events}?limit=5`);
    assert.deepEqual(namesOf(first), ['e10', 'e11', 'e12', 'e13', 'e14']);
    assert.equal(first.at('metadata.remainingItemCount'), total - 5);
    await create('e105');
    await create('e165');
    const pages = [...namesOf(first)];
    let next = String(first.at('metadata.continue'));
    while (next !== 'undefined') {
      const page = await api.request('GET', `${events}?limit=5&continue=${next}`);
      assert.equal(page.status, 200, page.text);
      const revision = page.at('metadata.resourceVersion');
      assert.equal(revision, first.at('metadata.resourceVersion'));
      pages.push(...namesOf(page));
      next = String(page.at('metadata.continue'));
    }
    assert.deepEqual(
      pages,
      Array.from({ length: total }, (_, i) => `e${10 + i}`),
    );
    for (const name of ['e105', 'e165']) {
      assert.equal((await api.request('DELETE', `${events}/${name}`)).status, 200);
    }
    const then = String(first.at('metadata.resourceVersion'));
    const exact = `resourceVersion=${then}&resourceVersionMatch=Exact`;
    assert.equal(namesOf(await api.request('GET', `${events}?${exact}`)).length, total);
  });

  test("take the limit also at version 0, as reads of upstream's datastore do", async () => {
    const page = await api.request('GET', `${events}?limit=5&resourceVersion=0`);
    assert.equal(namesOf(page).length, 5);
    assert.equal(page.at('metadata.remainingItemCount'), total - 5);
  });

  test('of a version that has not happened are refused at once', async () => {
    for (const what of ['', '/e10', '?resourceVersionMatch=Exact']) {
      const path = `${events}${what}${what.startsWith('?') ? '&' : '?'}resourceVersion=999999`;
      const future = await api.request('GET', path);
      assert.equal(future.status, 504, path);
      assert.equal(future.at('reason'), 'Timeout');
      const text = /^Timeout: Too large resource version: 999999, current: \d+$/;
      assert.match(String(future.at('message')), text);
      assert.deepEqual(future.at('details'), {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      });
    }
  });

  test('select by the object they are of, in both groups', async () => {
    const of = 'involvedObject.name=pod-e13,involvedObject.uid=uid-e13,involvedObject.kind=Pod';
    const one = await api.request('GET', `${events}?fieldSelector=${of}&limit=500`);
    assert.deepEqual(namesOf(one), ['e13']);
    assert.equal(one.at('metadata.continue'), undefined);
    const same = await api.request('GET', `${newEvents}?fieldSelector=regarding.name%3Dpod-e13`);
    assert.deepEqual(namesOf(same), ['e13']);
    assert.equal(same.at('items.0.note'), 'Started e13');
    assert.equal(same.at('items.0.deprecatedCount'), 1);
    const all = await api.request(
      'GET',
      '/api/v1/events?fieldSelector=type%3DWarning,reason!=Started',
    );
    assert.deepEqual(namesOf(all), ['e12', 'e15', 'e18', 'e21']);
    const two = await api.request('GET', `${events}?fieldSelector=type%3DWarning&limit=2`);
    assert.deepEqual(namesOf(two), ['e12', 'e15']);
    assert.equal(two.at('metadata.remainingItemCount'), undefined);
    const token = String(two.at('metadata.continue'));
    const rest = await api.request(
      'GET',
      `${events}?fieldSelector=type%3DWarning&limit=2&continue=${token}`,
    );
    assert.deepEqual(namesOf(rest), ['e18', 'e21']);
    const bad = await api.request('GET', `${events}?fieldSelector=note%3Dx`);
    assert.equal(bad.at('message'), 'field label not supported: note');
  });

  test('are tables for kubectl, in pieces or not', async () => {
    const whole = await api.kubectl(['get', 'events', '-n', 'here', '--no-headers']);
    assert.equal(whole.stdout.trim().split('\n').length, total, whole.stderr);
    const pieces = ['get', 'events', '-n', 'here', '--no-headers', '--chunk-size=5'];
    assert.equal((await api.kubectl(pieces)).stdout.trim().split('\n').length, total);
    const one = await api.kubectl(['events', '-n', 'here', '--for', 'pod/pod-e14', '--no-headers']);
    assert.match(one.stdout, /^\S+ +Normal +Started +Pod\/pod-e14 +Started e14\n$/);
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = await api.request('GET', `${events}?limit=1`, { headers: { Accept: accept } });
    assert.equal(table.at('kind'), 'Table');
    assert.deepEqual(table.at('rows.0.cells.3'), 'pod/pod-e10');
  });
});

describe('changes', () => {
  test('of old events are patches, updates and deletes as of any object', async () => {
    const made = await create('life');
    await api.restart();
    const read = await api.request('GET', `${events}/life`);
    assert.deepEqual(read.json, made.json);
    const series = { series: { count: 3, lastObservedTime: '2026-01-01T00:01:00.000000Z' } };
    const patched = await api.request('PATCH', `${newEvents}/life`, {
      body: series,
      headers: merge,
    });
    assert.equal(patched.status, 200, patched.text);
    assert.equal(patched.at('series.count'), 3);
    assert.equal((await api.request('GET', `${events}/life`)).at('series.count'), 3);
    const stale = await api.request('PUT', `${events}/life`, { body: made.json });
    assert.equal(stale.status, 409);
    const again = await api.request('POST', events, { body: event('life') });
    assert.equal(again.at('message'), 'events "life" already exists');
    const tried = await api.request('POST', `${events}?dryRun=All`, { body: event('life') });
    assert.equal(tried.status, 409);
    const precondition = { preconditions: { uid: 'another' } };
    const kept = await api.request('DELETE', `${events}/life`, { body: precondition });
    assert.equal(kept.status, 409);
    assert.equal((await api.request('DELETE', `${events}/life`)).at('status'), 'Success');
    const gone = await api.request('GET', `${events}/life`);
    assert.equal(gone.at('message'), 'events "life" not found');
  });

  test('reach watchers from the version of a list, through their selection', async () => {
    await create('w1');
    await create('w2', { reason: 'Killing' });
    await api.restart();
    const list = await api.request('GET', `${events}?fieldSelector=reason%3DStarted`);
    const from = String(list.at('metadata.resourceVersion'));
    const path = `${events}?watch=1&fieldSelector=reason%3DStarted&resourceVersion=${from}`;
    const watch = await api.watch(path);
    const reason = async (name: string, to: string): Promise<void> => {
      const body = { reason: to };
      const answer = await api.request('PATCH', `${events}/${name}`, { body, headers: merge });
      assert.equal(answer.status, 200, answer.text);
    };
    await reason('w1', 'Killing');
    await reason('w2', 'Started');
    await reason('w2', 'Started again');
    await create('w3');
    await api.request('DELETE', `${events}/w3`);
    const seen: string[] = [];
    for (let i = 0; i < 5; i++) {
      seen.push(toldBy(await watch.next()));
    }
    watch.close();
    const expected = [
      'DELETED w1 Started',
      'ADDED w2 Started',
      'DELETED w2 Started',
      'ADDED w3 Started',
      'DELETED w3 Started',
    ];
    assert.deepEqual(seen, expected);
    // again from the past: the ring is empty
    await api.restart();
    const later = await api.watch(path);
    for (const one of expected) {
      assert.equal(toldBy(await later.next()), one);
    }
    later.close();
    await api.request('DELETE', `${events}?labelSelector=of%3Dw`);
    assert.equal(namesOf(await api.request('GET', events)).length, total);
  });

  test('come after the initial events of a watch', async () => {
    const asked =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watch = await api.watch(`${events}?watch=1&${asked}&resourceVersion=`);
    const seen: string[] = [];
    for (;;) {
      const item = await watch.next();
      if (item?.type === 'BOOKMARK') {
        const end = at(item.object, ['metadata', 'annotations', 'k8s.io/initial-events-end']);
        assert.equal(end, 'true');
        break;
      }
      assert.equal(item?.type, 'ADDED');
      seen.push(String(at(item.object, 'metadata.name')));
    }
    assert.equal(seen.length, total);
    await create('z');
    assert.equal(at((await watch.next())?.object, 'metadata.name'), 'z');
    watch.close();
    await api.request('DELETE', `${events}/z`);
  });

  test('are counted in the metrics', async () => {
    const { text } = await api.request('GET', '/metrics');
    const [, count] = /^apiserver_storage_objects\{resource="events"\} (\d+)$/m.exec(text) ?? [];
    const all = await api.request('GET', '/api/v1/events');
    assert.equal(Number(count), namesOf(all).length);
    const size = /^apiserver_resource_size_estimate_bytes\{group="",resource="events"\} (\d+)$/m;
    const mean = Number(size.exec(text)?.[1]) / Number(count);
    assert.ok(mean > 300 && mean < 3000, String(mean));
  });

  test('end with the namespace', async () => {
    await api.request('DELETE', '/api/v1/namespaces/here');
    await api.until('/api/v1/namespaces/here', (answer) => answer.status === 404);
    assert.deepEqual(namesOf(await api.request('GET', events)), []);
  });
});

test('events end when their time is over, which watchers are told', async (t) => {
  const short = await startTestApi({ apiServerArgs: readApiServerArgs(['event-ttl=2s']) });
  t.after(() => short.close());
  const path = '/api/v1/namespaces/default/events';
  const watch = await short.watch(`${path}?watch=1&fieldSelector=reason%3DShort`);
  const metadata = { name: 'short', namespace: 'default' };
  const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' };
  const body = event('short', { metadata, involvedObject, reason: 'Short' });
  assert.equal((await short.request('POST', path, { body })).status, 201);
  const types = [];
  for (let i = 0; i < 2; i++) types.push((await watch.next())?.type);
  watch.close();
  assert.deepEqual(types, ['ADDED', 'DELETED']);
  assert.equal((await short.request('GET', `${path}/short`)).status, 404);
});
