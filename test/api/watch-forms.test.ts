/** Other ways to watch and to read: WebSockets, metadata in protobuf, shapes in YAML. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';

import { decodeProtobuf } from '#schema/protobuf/mod.ts';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const maps = '/api/v1/namespaces/formed/configmaps';
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'formed' } } });
  for (const name of ['a', 'b']) {
    await api.request('POST', maps, { body: { metadata: { name }, data: { k: name } } });
  }
});

after(() => api.close());

interface Socket {
  readonly socket: WebSocket;
  next(): Promise<{ data: Buffer; isBinary: boolean }>;
}

function openSocket(path: string, headers: Record<string, string> = {}, protocols: string[] = []) {
  const { ca, admin } = api;
  const socket = new WebSocket(`wss://${api.host}:${api.port}${path}`, protocols, {
    ca,
    ...admin,
    headers,
  });
  const waiting: { data: Buffer; isBinary: boolean }[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    waiting.push({ data, isBinary });
    wake();
  });
  const next: Socket['next'] = async () => {
    while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return waiting.shift() as { data: Buffer; isBinary: boolean };
  };
  return { socket, next };
}

describe('a watch over a WebSocket', () => {
  test('sends each event as a text message', async () => {
    const { socket, next } = openSocket(`${maps}?watch=true&fieldSelector=metadata.name%3Da`);
    const first = await next();
    assert.equal(first.isBinary, false);
    const event = JSON.parse(first.data.toString()) as object;
    assert.equal(at(event, 'type'), 'ADDED');
    assert.equal(at(event, 'object.data.k'), 'a');
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    await api.request('PATCH', `${maps}/a`, { headers, body: { data: { k: 'changed' } } });
    const second = JSON.parse((await next()).data.toString()) as object;
    assert.deepEqual([at(second, 'type'), at(second, 'object.data.k')], ['MODIFIED', 'changed']);
    socket.close();
    await once(socket, 'close');
  });

  test('sends protobuf as binary messages without a length before them', async () => {
    const accept = { Accept: 'application/vnd.kubernetes.protobuf;stream=watch' };
    const { socket, next } = openSocket(`${maps}?watch=true`, accept);
    const { data, isBinary } = await next();
    assert.equal(isBinary, true);
    // field 1, the type of the event
    assert.equal(data.subarray(0, 7).toString('latin1'), '\n\u0005ADDED');
    socket.close();
  });

  test('ends after timeoutSeconds, and on the older path', async () => {
    const path = '/api/v1/watch/namespaces/formed/configmaps/b?timeoutSeconds=1';
    const { socket, next } = openSocket(path);
    assert.equal(at(JSON.parse((await next()).data.toString()), 'object.metadata.name'), 'b');
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, 1000);
  });

  test('is refused with the status that a plain watch gets', async () => {
    const { socket } = openSocket(`${maps}?watch=true&resourceVersionMatch=Exact`);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    assert.equal(response.statusCode, 422);
    socket.on('error', () => undefined);
    socket.terminate();
  });
});

test('a watch that begins with what is there marks its end for who takes bookmarks', async () => {
  for (const query of ['', '&resourceVersion=0']) {
    const path = `${maps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1${query}`;
    const lines = (await api.request('GET', path)).text.trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as object);
    assert.deepEqual(
      events.map((event) => at(event, 'type')),
      ['ADDED', 'ADDED', 'BOOKMARK'],
    );
    const annotation = ['object', 'metadata', 'annotations', 'k8s.io/initial-events-end'];
    assert.equal(at(events[2], annotation), 'true');
  }
});

test('the end of what is there carries the empty list that clients fill, in the form of the watch', async () => {
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const partial = ';as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const options = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const path = `${maps}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&${options}`;
  const metadata = {};
  const own = { kind: 'ConfigMapList', apiVersion: 'v1', metadata };
  const meta = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
  const name = 'kubernetes.io/initial-events-list-blueprint';
  const watch = async (accept: string): Promise<Buffer> => {
    const answer = await api.request('GET', path, { headers: { Accept: accept } });
    assert.equal(answer.status, 200, answer.text);
    return answer.bytes;
  };
  for (const [suffix, list] of [
    ['', own],
    [partial, meta],
  ] as const) {
    const lines = (await watch(`application/json${suffix}`)).toString().trim().split('\n');
    const end = JSON.parse(lines.at(-1) ?? '') as object;
    const blueprint = String(at(end, ['object', 'metadata', 'annotations', name]));
    const text = Buffer.from(blueprint, 'base64').toString();
    assert.equal(text, `${JSON.stringify({ ...list, items: null })}\n`);
    const frames = (await watch(`${protobuf}${suffix}`)).toString('latin1');
    const found = new RegExp(`${name}\\x12.([A-Za-z0-9+/=]+)`).exec(frames)?.[1] ?? '';
    assert.deepEqual(decodeProtobuf(Buffer.from(found, 'base64')), list);
  }
});

test('a watch has no form in YAML', async () => {
  const headers = { Accept: 'application/yaml' };
  const answer = await api.request('GET', `${maps}?watch=true`, { headers });
  assert.equal(answer.status, 406);
  assert.match(answer.text, /accepted: application\/json;stream=watch, application\/vnd/);
});

describe('metadata only', () => {
  const accept = (as: string): Record<string, string> => ({
    Accept: `application/vnd.kubernetes.protobuf;as=${as};g=meta.k8s.io;v=v1`,
  });

  test('in protobuf: list, get and watch', async () => {
    const list = await api.request('GET', maps, { headers: accept('PartialObjectMetadataList') });
    assert.equal(list.headers['content-type'], 'application/vnd.kubernetes.protobuf');
    const decoded = decodeProtobuf(list.bytes);
    assert.equal(decoded['kind'], 'PartialObjectMetadataList');
    assert.deepEqual(at(decoded, 'items.*.metadata.name'), ['a', 'b']);
    assert.equal(at(decoded, 'items.0.data'), undefined);
    const one = await api.request('GET', `${maps}/a`, { headers: accept('PartialObjectMetadata') });
    assert.equal(decodeProtobuf(one.bytes)['kind'], 'PartialObjectMetadata');
    const watch = await api.request('GET', `${maps}?watch=true&timeoutSeconds=1`, {
      headers: accept('PartialObjectMetadata'),
    });
    assert.equal(watch.headers['content-type'], 'application/vnd.kubernetes.protobuf;stream=watch');
    const start = watch.bytes.indexOf('k8s\0');
    assert.ok(start > 0 && watch.bytes.includes('PartialObjectMetadata'));
  });

  test('lists of other shapes as YAML, and indented', async () => {
    const yaml = await api.request('GET', maps, {
      headers: { Accept: 'application/yaml;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    });
    assert.equal(yaml.headers['content-type'], 'application/yaml');
    assert.match(yaml.text, /^apiVersion: meta\.k8s\.io\/v1\n/);
    assert.deepEqual(at(parse(yaml.text), 'items.*.metadata.name'), ['a', 'b']);
    const table = await api.request('GET', `${maps}?pretty=true`, {
      headers: { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
    });
    assert.match(table.text, /^\{\n {2}"kind": "Table",\n/);
    assert.deepEqual(at(table.json, 'rows.*.cells.0'), ['a', 'b']);
  });
});
