/** Watches as clients see them: events, bookmarks, ends, forms, over HTTP/1.1 and HTTP/2. */
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';

import { startTestServer } from '#apiserver/test-server.ts';
import { systemClock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi, untilMs } from './server.ts';
import { watchReader } from './watch-reader.ts';
import type { WatchEvent, WatchReader } from './watch-reader.ts';

const maps = '/api/v1/namespaces/watched/configmaps';
const watching = `${maps}?watch=true`;
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partialType = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
let api: TestApi;
let startVersion = '';

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'watched' } } });
  await put('first', { tier: 'a' });
  startVersion = await listVersion();
});

after(() => api.close());

async function put(name: string, labels: Record<string, string>): Promise<void> {
  const body = { metadata: { name, labels } };
  const made = await api.request('POST', maps, { body });
  if (made.status === 409) await api.request('PUT', `${maps}/${name}`, { body });
}

async function listVersion(): Promise<string> {
  return String((await api.request('GET', maps)).at('metadata.resourceVersion'));
}

async function take(reader: WatchReader, count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let index = 0; index < count; index++) {
    const event = await reader.next();
    seen.push(`${event?.type} ${String(at(event?.object, 'metadata.name'))}`);
  }
  return seen;
}

describe('events', () => {
  test('an object that enters or leaves the selection is added or deleted', async () => {
    const query = `&labelSelector=tier%3Db&resourceVersion=${startVersion}`;
    const reader = await api.watch(watching + query);
    assert.equal(reader.headers['transfer-encoding'], 'chunked');
    await put('moving', { tier: 'a' });
    await put('moving', { tier: 'b' });
    await put('moving', { tier: 'b', more: 'x' });
    await put('moving', { tier: 'c' });
    await put('moving', { tier: 'b' });
    await api.request('DELETE', `${maps}/moving`);
    const seen = await take(reader, 5);
    reader.close();
    const types = ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED'];
    assert.deepEqual(
      seen,
      types.map((type) => `${type} moving`),
    );
  });

  test('what leaves the selection is shown as it was, at the version of the change', async () => {
    await put('leaving', { tier: 'l' });
    const reader = await api.watch(`${watching}&labelSelector=tier%3Dl`);
    await take(reader, 1);
    await put('leaving', { tier: 'm' });
    const event = await reader.next();
    reader.close();
    const live = await api.request('GET', `${maps}/leaving`);
    assert.equal(at(event?.object, 'metadata.labels.tier'), 'l');
    assert.equal(
      at(event?.object, 'metadata.resourceVersion'),
      live.at('metadata.resourceVersion'),
    );
  });

  test('without a version, and with 0, the watch begins with what is there', async () => {
    for (const query of ['', '&resourceVersion=0']) {
      const reader = await api.watch(`${watching}&fieldSelector=metadata.name%3Dfirst${query}`);
      assert.deepEqual(await take(reader, 1), ['ADDED first']);
      reader.close();
    }
  });

  test('the older paths of a watch work', async () => {
    for (const path of [
      '/api/v1/watch/namespaces/watched/configmaps/first',
      `/api/v1/watch/namespaces/watched/configmaps?labelSelector=tier%3Da`,
    ]) {
      const reader = await api.watch(path);
      assert.deepEqual(await take(reader, 1), ['ADDED first']);
      reader.close();
    }
  });
});

describe('initial events and bookmarks', () => {
  test('sendInitialEvents ends what is there with an annotated bookmark', async () => {
    const query =
      '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const reader = await api.watch(`${watching}${query}&labelSelector=tier%3Da`);
    assert.deepEqual(await take(reader, 1), ['ADDED first']);
    const bookmark = await reader.next();
    assert.equal(bookmark?.type, 'BOOKMARK');
    const emptyMaps = Buffer.from(
      '{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":null}\n',
    ).toString('base64');
    assert.deepEqual(at(bookmark.object, 'metadata.annotations'), {
      'k8s.io/initial-events-end': 'true',
      'kubernetes.io/initial-events-list-blueprint': emptyMaps,
    });
    assert.ok(Number(at(bookmark.object, 'metadata.resourceVersion')) >= Number(startVersion));
    await put('later', { tier: 'a' });
    assert.deepEqual(await take(reader, 1), ['ADDED later']);
    reader.close();
  });

  test('options that belong together are asked for', async () => {
    const cases: [query: string, message: RegExp][] = [
      ['sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch/],
      ['resourceVersionMatch=NotOlderThan', /forbidden for watch unless sendInitialEvents/],
    ];
    for (const [query, message] of cases) {
      const answer = await api.request('GET', `${watching}&${query}`);
      assert.equal(answer.status, 422);
      assert.match(answer.text, message);
    }
  });
});

describe('ends', () => {
  test('timeoutSeconds ends the stream cleanly', async () => {
    const startMs = systemClock.monotonicMs();
    const reader = await api.watch(`${watching}&timeoutSeconds=1&labelSelector=none`);
    assert.equal(await reader.next(), undefined);
    const tookMs = systemClock.monotonicMs() - startMs;
    assert.ok(tookMs > 900 && tookMs < untilMs, String(tookMs));
  });

  test('a version that is forgotten gets 410', async (t) => {
    const server = await startTestServer();
    t.after(() => server.close());
    const { client } = await server.listen();
    const data = { text: 'x'.repeat(900_000) };
    for (let index = 0; index < 14; index++) {
      const metadata = { name: `m-${index}` };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
      await server.client.create(resources.configMaps, body, { namespace: 'default' });
    }
    await server.backend.compact(server.backend.currentRevision);
    const path = '/api/v1/configmaps?watch=1&resourceVersion=1&timeoutSeconds=60';
    const { status, body } = await client.raw({ method: 'GET', path, headers: {} });
    const text = body.toString();
    const failure = status === 200 ? at(JSON.parse(text.split('\n')[0] ?? ''), 'object') : text;
    const shown = typeof failure === 'string' ? (JSON.parse(failure) as unknown) : failure;
    assert.deepEqual([at(shown, 'code'), at(shown, 'reason')], [410, 'Expired']);
    assert.match(String(at(shown, 'message')), /^too old resource version: 1 \(\d+\)$/);
  });
});

describe('forms', () => {
  test('a table has its columns in the first event only', async () => {
    const reader = await api.watch(watching, { headers: { Accept: tableType } });
    const [first, second] = [await reader.next(), await reader.next()];
    reader.close();
    assert.equal(at(first?.object, 'kind'), 'Table');
    assert.equal(at(first?.object, 'columnDefinitions.0.name'), 'Name');
    assert.equal(at(second?.object, 'columnDefinitions'), undefined);
    assert.equal(at(first?.object, 'rows.0.object.kind'), 'PartialObjectMetadata');
  });

  test('metadata only', async () => {
    const reader = await api.watch(watching, { headers: { Accept: partialType } });
    const event = await reader.next();
    reader.close();
    assert.equal(at(event?.object, 'kind'), 'PartialObjectMetadata');
    assert.equal(at(event?.object, 'data'), undefined);
  });

  test('protobuf frames', async () => {
    const accept = 'application/vnd.kubernetes.protobuf;stream=watch';
    const answer = await api.request('GET', `${watching}&timeoutSeconds=1`, {
      headers: { Accept: accept },
    });
    assert.equal(answer.headers['content-type'], accept);
    const size = answer.bytes.readUInt32BE(0);
    assert.ok(size < answer.bytes.length);
    assert.match(answer.bytes.subarray(4, 4 + size).toString('latin1'), /ADDED.*k8s\0/s);
  });

  test('over HTTP/2 many watches share one connection', async () => {
    const session = connect(api.url, { ca: api.ca, ...api.admin });
    const readers: WatchReader[] = [];
    for (let index = 0; index < 20; index++) {
      const stream = session.request({
        ':path': `${watching}&resourceVersion=${await listVersion()}&labelSelector=h2`,
      });
      stream.on('error', () => undefined);
      readers.push(watchReader(stream, 200, {}));
      await new Promise((resolve) => stream.once('response', resolve));
    }
    await put('shared', { h2: 'yes' });
    const events: (WatchEvent | undefined)[] = [];
    for (const reader of readers) events.push(await reader.next());
    assert.equal(events.filter((event) => event?.type === 'ADDED').length, 20);
    for (const reader of readers) reader.close();
    session.destroy();
  });
});
