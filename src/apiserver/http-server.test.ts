import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { resources } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import { decodeProtobuf } from '#schema/protobuf/mod.ts';
import type { TestServer } from './test-server.ts';
import { startTestServer } from './test-server.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
}

let target: TestServer;
let origin: { port: number; ca: string };
const maps = '/api/v1/namespaces/http/configmaps';

before(async () => {
  const typed = { status: 200, headers: { 'content-type': 'text/x' }, body: 'x' };
  const routes = [{ path: '/typed', handle: () => typed }];
  target = await startTestServer({ extensions: { routes } });
  origin = await target.listen();
  const data = { text: 'x'.repeat(1000) };
  for (let i = 0; i < 300; i++) {
    const map: ConfigMap = { metadata: { name: `m${i}` }, data };
    await target.client.create(resources.configMaps, map, { namespace: 'http' });
  }
});

after(() => target.close());

/** One request over HTTP/1.1 on a connection of its own; `until` ends a watch early. */
function ask(
  path: string,
  options: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    until?: string;
  } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body, until } = options;
  return new Promise((resolve, reject) => {
    const { port, ca } = origin;
    const how = { host: '127.0.0.1', port, ca, path, method, headers, agent: false as const };
    const sent = request(how, (response) => {
      const chunks: Buffer[] = [];
      const finish = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(chunks),
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (until === undefined || !Buffer.concat(chunks).includes(until)) return;
        finish();
        sent.destroy();
      });
      response.once('end', finish);
      response.once('error', () => undefined);
    });
    sent.once('error', (error) => {
      if (until === undefined) reject(error);
    });
    sent.end(body);
  });
}

const json = { 'content-type': 'application/json' };

describe('answers over HTTP/1.1', () => {
  test('a long list is complete JSON, without apiVersion and kind in its items', async () => {
    const { status, body } = await ask(maps);
    assert.equal(status, 200);
    const list = JSON.parse(body.toString()) as { kind: string; items: { kind?: string }[] };
    assert.equal(list.kind, 'ConfigMapList');
    assert.equal(list.items.length, 300);
    assert.equal(list.items[0]?.kind, undefined);
  });

  test('a long list is compressed for who takes gzip', async () => {
    const { headers, body } = await ask(maps, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(headers['content-encoding'], 'gzip');
    const list = JSON.parse(gunzipSync(body).toString()) as { items: unknown[] };
    assert.equal(list.items.length, 300);
  });

  test('a list as Table has cells and partial objects', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await ask(`${maps}?limit=2`, { headers: { accept } });
    const table = JSON.parse(body.toString()) as {
      kind: string;
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[]; object: { kind: string; metadata: { name: string } } }[];
    };
    assert.equal(table.kind, 'Table');
    assert.deepEqual(
      table.columnDefinitions.map((column) => column.name),
      ['Name', 'Data', 'Age'],
    );
    assert.deepEqual(table.rows[0]?.cells.slice(0, 2), ['m0', 1]);
    assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
    assert.equal(table.rows[0]?.object.metadata.name, 'm0');
  });

  test('metadata alone can be listed', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    const { body } = await ask(`${maps}?limit=1`, { headers: { accept } });
    const list = JSON.parse(body.toString()) as { kind: string; items: Record<string, unknown>[] };
    assert.equal(list.kind, 'PartialObjectMetadataList');
    assert.deepEqual(Object.keys(list.items[0] ?? {}), ['kind', 'apiVersion', 'metadata']);
  });

  test('protobuf is for who takes nothing else', async () => {
    const protobuf = 'application/vnd.kubernetes.protobuf';
    const both = await ask(`${maps}/m1`, { headers: { accept: `${protobuf},application/json` } });
    assert.equal(both.headers['content-type'], 'application/json');
    const only = await ask(`${maps}/m1`, { headers: { accept: protobuf } });
    assert.equal(only.headers['content-type'], protobuf);
    assert.equal(only.body.subarray(0, 4).toString('latin1'), 'k8s\0');
  });

  test('a list in protobuf has the items and version of the list in JSON, each time', async () => {
    interface List {
      metadata: { resourceVersion: string };
      items: { metadata: { name: string } }[];
    }
    const shown = ({ metadata, items }: List): unknown => ({
      version: metadata.resourceVersion,
      names: items.map((item) => item.metadata.name),
    });
    const asJson = shown(JSON.parse((await ask(maps)).body.toString()) as List);
    for (let time = 0; time < 2; time += 1) {
      const accept = 'application/vnd.kubernetes.protobuf';
      const { body } = await ask(maps, { headers: { accept } });
      assert.deepEqual(shown(decodeProtobuf(body) as unknown as List), asJson);
    }
  });

  test('people get indented answers with the kind first', async () => {
    const { body } = await ask(`${maps}/m1`, { headers: { 'user-agent': 'curl/8' } });
    assert.match(body.toString(), /^\{\n  "kind": "ConfigMap",\n  "apiVersion": "v1",\n/);
  });

  test('a watch is one event a line, and ends at its timeout', async () => {
    const { headers, body } = await ask(
      `${maps}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dm7`,
    );
    assert.equal(headers['transfer-encoding'], 'chunked');
    const lines = body.toString().trimEnd().split('\n');
    assert.equal(lines.length, 1);
    const event = JSON.parse(lines[0] as string) as { type: string; object: ConfigMap };
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'm7']);
  });
});

test('a request without TLS is told that it needs it', async () => {
  const socket = connect(origin.port, '127.0.0.1');
  socket.end('GET /version HTTP/1.1\r\nHost: x\r\n\r\n');
  let said = '';
  for await (const chunk of socket) said += String(chunk);
  assert.equal(
    said,
    'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
  );
});

test('a route replaces headers whatever their case', async () => {
  const { rawHeaders } = await ask('/typed');
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  assert.equal(names.filter((name) => name === 'content-type').length, 1);
});

describe('refusals', () => {
  test('an unknown path is plain text', async () => {
    const { status, headers, body } = await ask('/apis/none.example/v1/things');
    assert.equal(status, 404);
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(body.toString(), '404 page not found\n');
  });

  test('a body over 3 MiB is refused with 413', async () => {
    const { status, body } = await ask(maps, {
      method: 'POST',
      headers: json,
      body: 'x'.repeat(3 * 1024 * 1024 + 1),
    });
    assert.equal(status, 413);
    assert.match(body.toString(), /Request entity too large: limit is 3145728/);
  });

  const cases: readonly [string, string, Parameters<typeof ask>[1], number, RegExp][] = [
    [
      'a body of unknown type',
      maps,
      { method: 'POST', headers: { 'content-type': 'text/x' }, body: '{}' },
      415,
      /the body of the request was in an unknown format/,
    ],
    [
      'an answer of unknown type',
      `${maps}/m1`,
      { headers: { accept: 'text/html' } },
      406,
      /only the following media types are accepted/,
    ],
    [
      'another kind',
      maps,
      { method: 'POST', headers: json, body: '{"kind":"Pod","apiVersion":"v1"}' },
      400,
      /Pod in version \\"v1\\" cannot be handled as a ConfigMap/,
    ],
    [
      'another namespace',
      maps,
      { method: 'POST', headers: json, body: '{"metadata":{"name":"a","namespace":"b"}}' },
      400,
      /the namespace of the provided object does not match the namespace sent on the request/,
    ],
    [
      'a version on create',
      maps,
      { method: 'POST', headers: json, body: '{"metadata":{"name":"a","resourceVersion":"1"}}' },
      500,
      /resourceVersion should not be set on objects to be created/,
    ],
    [
      'an unknown field selector',
      `${maps}?fieldSelector=data.x%3Dy`,
      {},
      400,
      /data.x\\" is not a known field selector: only/,
    ],
    [
      'a version from the future',
      `${maps}?resourceVersion=999999&resourceVersionMatch=Wrong`,
      {},
      422,
      /Unsupported value: \\"Wrong\\"/,
    ],
    [
      'a patch of unknown type',
      `${maps}/m1`,
      { method: 'PATCH', headers: json, body: '{}' },
      415,
      /application\/json-patch\+json/,
    ],
    [
      'a verb that the resource lacks',
      '/api/v1/namespaces/http/bindings',
      {},
      405,
      /does not allow this method on the requested resource/,
    ],
    [
      'a dry run of another sort',
      `${maps}?dryRun=Some`,
      { method: 'POST', headers: json, body: '{}' },
      422,
      /supported values: \\"All\\"/,
    ],
  ];
  for (const [name, path, options, status, text] of cases) {
    test(`${name} gets ${status}`, async () => {
      const answer = await ask(path, options);
      assert.equal(answer.status, status, answer.body.toString());
      assert.match(answer.body.toString(), text);
    });
  }
});

describe('health', () => {
  test('says each check when asked to', async () => {
    const { status, body } = await ask('/readyz?verbose');
    assert.equal(status, 200);
    assert.equal(
      body.toString(),
      '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]shutdown ok\nreadyz check passed\n',
    );
    assert.equal((await ask('/livez')).body.toString(), 'ok');
    assert.equal((await ask('/readyz/ping')).body.toString(), 'ok');
  });
});
