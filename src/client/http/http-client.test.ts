import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { after, before, test } from 'node:test';
import { hasReason } from '#base/api-status-error.ts';
import { systemClock } from '#base/clock.ts';
import { hasCode } from '#base/errors.ts';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod } from '#schema/types.ts';
import { resources } from '../resources.ts';
import { createHttpClient } from './http-client.ts';
import type { HttpClient, HttpClientOptions } from './http-client.ts';

let ca = '';
let tlsFiles = { cert: '', key: '' };

before(async () => {
  const nowMs = systemClock.now();
  const keyPem = await createEcKey();
  const serial = Buffer.from('01', 'hex');
  const authority = await createAuthority({ commonName: 'test-ca', keyPem, nowMs, serial });
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName: 'server',
    ipAddresses: ['127.0.0.1'],
    purposes: ['server', 'client'],
    key,
    nowMs,
    serial: Buffer.from('02', 'hex'),
  });
  ca = authority.certificatePem;
  tlsFiles = { cert, key };
});

interface Served {
  client: HttpClient;
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  sessions: () => number;
  server: Server;
}

const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));

/** A server that answers by `answer`, and a client for it. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  options: { http1?: boolean } & Partial<HttpClientOptions> = {},
): Promise<Served> {
  const requests: Served['requests'] = [];
  let sessions = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body });
      answer(request, response, body);
    });
  };
  const server =
    options.http1 === true
      ? https.createServer(tlsFiles, listener)
      : http2.createSecureServer(
          { ...tlsFiles, allowHTTP1: true },
          listener as unknown as (
            request: http2.Http2ServerRequest,
            response: http2.Http2ServerResponse,
          ) => void,
        );
  server.on('secureConnection', () => {
    sessions += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient({
    server: `https://127.0.0.1:${port}`,
    ca,
    clock: systemClock,
    log: silentLogger,
    ...options,
  });
  closers.push(() => {
    client.close();
    server.close();
  });
  return { client, requests, sessions: () => sessions, server };
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const podObject: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'default' },
};

for (const http1 of [false, true]) {
  const version = http1 ? 'HTTP/1.1' : 'HTTP/2';

  test(`${version}: verbs become the right requests`, async () => {
    const { client, requests } = await serve(
      (_request, response) => json(response, 200, { metadata: { name: 'x' }, items: [] }),
      { http1, token: 'secret', userAgent: 'kubelet' },
    );
    const namespace = 'default';
    await client.get(resources.deployments, 'd', { namespace, subresource: 'scale' });
    await client.list(resources.pods, { labelSelector: 'a=b,c in (d)', limit: 5 });
    await client.create(resources.pods, podObject, { fieldManager: 'me', dryRun: true });
    await client.create(resources.pods, podObject, { name: 'a', subresource: 'binding' });
    await client.update(resources.pods, podObject, { subresource: 'status' });
    const patch = { type: 'apply', body: { a: 1 }, force: true } as const;
    await client.patch(resources.nodes, 'n', patch, { fieldManager: 'me' });
    await client.delete(resources.namespaces, 'x', { propagationPolicy: 'Foreground' });
    await client.deleteCollection(resources.pods, { namespace, labelSelector: 'a=b' });
    assert.deepEqual(
      requests.map(({ method, url }) => `${method} ${url}`),
      [
        'GET /apis/apps/v1/namespaces/default/deployments/d/scale',
        'GET /api/v1/pods?labelSelector=a%3Db%2Cc%20in%20(d)&limit=5',
        'POST /api/v1/namespaces/default/pods?fieldManager=me&dryRun=All',
        'POST /api/v1/namespaces/default/pods/a/binding',
        'PUT /api/v1/namespaces/default/pods/a/status',
        'PATCH /api/v1/nodes/n?fieldManager=me&force=true',
        'DELETE /api/v1/namespaces/x',
        'DELETE /api/v1/namespaces/default/pods?labelSelector=a%3Db',
      ],
    );
    assert.equal(requests[5]?.headers['content-type'], 'application/apply-patch+yaml');
    assert.equal(requests[0]?.headers['authorization'], 'Bearer secret');
    assert.equal(requests[0]?.headers['user-agent'], 'kubelet');
    assert.deepEqual(JSON.parse(requests[6]?.body ?? ''), {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
    });
  });

  test(`${version}: a watch yields events as they come and throws an ERROR event`, async () => {
    const events = [
      { type: 'ADDED', object: { kind: 'Pod', metadata: { name: 'ä' } } },
      { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { name: '', resourceVersion: '9' } } },
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'old' } },
    ];
    const { client, requests } = await serve(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const text = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        // Cut in the middle of a line and of a character.
        const cut = text.indexOf(Buffer.from('ä')) + 1;
        response.write(text.subarray(0, cut));
        setImmediate(() => response.end(text.subarray(cut)));
      },
      { http1 },
    );
    const seen: string[] = [];
    const options = { resourceVersion: '5', allowWatchBookmarks: true, timeoutSeconds: 300 };
    await assert.rejects(
      async () => {
        for await (const event of client.watch(resources.pods, options)) {
          seen.push(`${event.type} ${event.object.metadata.name}`);
        }
      },
      (error) => hasReason(error, 'Expired'),
    );
    assert.deepEqual(seen, ['ADDED ä', 'BOOKMARK ']);
    const query = 'watch=true&resourceVersion=5&allowWatchBookmarks=true&timeoutSeconds=300';
    assert.equal(requests[0]?.url, `/api/v1/pods?${query}`);
  });

  test(`${version}: an aborted watch ends normally`, async () => {
    const { client } = await serve(
      (_request, response) => {
        response.writeHead(200);
        response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
      },
      { http1 },
    );
    const stop = new AbortController();
    let events = 0;
    for await (const event of client.watch(resources.pods, { signal: stop.signal })) {
      assert.equal(event.type, 'ADDED');
      events += 1;
      stop.abort();
    }
    assert.equal(events, 1);
  });
}

test('all requests and watches share one HTTP/2 connection', async () => {
  const { client, sessions } = await serve((request, response) => {
    if (request.url?.includes('watch=true') === true) {
      response.writeHead(200);
      response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
    } else json(response, 200, { metadata: { name: 'x' } });
  });
  const stop = new AbortController();
  const watches = Array.from({ length: 20 }, async () => {
    for await (const event of client.watch(resources.pods, { signal: stop.signal })) {
      assert.equal(event.type, 'ADDED');
      break;
    }
  });
  await Promise.all([...watches, client.get(resources.nodes, 'x')]);
  assert.equal(sessions(), 1);
});

test('items of a list get the kind and version that the list names', async () => {
  const { client } = await serve((_request, response) =>
    json(response, 200, {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7' },
      items: [{ metadata: { name: 'a' } }],
    }),
  );
  const { items, metadata } = await client.list(resources.pods);
  assert.deepEqual([items[0]?.kind, items[0]?.apiVersion], ['Pod', 'v1']);
  assert.equal(metadata.resourceVersion, '7');
});

test('a Status becomes an ApiStatusError, other bodies one with the code', async () => {
  const { client } = await serve((request, response) => {
    if (request.url?.endsWith('/a') === true) {
      const details = { name: 'a', kind: 'pods' };
      json(response, 404, {
        kind: 'Status',
        reason: 'NotFound',
        message: 'pods "a" not found',
        details,
        code: 404,
      });
    } else {
      response.writeHead(502, { 'content-type': 'text/plain' });
      response.end('bad gateway');
    }
  });
  await assert.rejects(client.get(resources.pods, 'a', { namespace: 'default' }), {
    name: 'ApiStatusError',
    reason: 'NotFound',
    message: 'pods "a" not found',
  });
  await assert.rejects(client.get(resources.pods, 'b', { namespace: 'default' }), {
    httpCode: 502,
    message: 'bad gateway',
  });
});

test('waits as long as Retry-After says and then tries again', async () => {
  const clock = new FakeClock();
  let answers = 0;
  const { client, requests } = await serve(
    (_request, response) => {
      answers += 1;
      if (answers < 3) json(response, 429, { kind: 'Status', code: 429 }, { 'retry-after': '1' });
      else json(response, 200, podObject);
    },
    { clock },
  );
  const got = client.get(resources.pods, 'a', { namespace: 'default' });
  const turn = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    // One timer is the time limit, one the wait.
    if (clock.pendingTimers >= 3) await clock.advance(1000);
  };
  await eventually('the third request', () => requests.length >= 3, turn);
  assert.equal((await got).metadata.name, 'a');
  assert.equal(requests.length, 3);
});

test('no server is Unavailable, and a restarted one is reached again', async () => {
  const { client, server, sessions } = await serve((_request, response) =>
    json(response, 200, podObject),
  );
  await client.get(resources.nodes, 'a');
  client.close();
  await assert.rejects(client.get(resources.nodes, 'a'), (error) => hasCode(error, 'Unavailable'));
  const { port } = server.address() as AddressInfo;
  const second = createHttpClient({
    server: `https://127.0.0.1:${port}`,
    ca,
    clock: systemClock,
    log: silentLogger,
  });
  closers.push(() => second.close());
  let connection: { destroy(): void } | undefined;
  server.once('secureConnection', (socket: { destroy(): void }) => {
    connection = socket;
  });
  await second.get(resources.nodes, 'a');
  connection?.destroy();
  let found: KubeObject | undefined;
  for (let tries = 0; found === undefined && tries < 5; tries++) {
    found = await second.get<KubeObject>(resources.nodes, 'a').catch(() => undefined);
  }
  assert.equal(found?.metadata.name, 'a');
  assert.equal(sessions(), 3);
});

test('a server that hangs is given up at the time limit', async () => {
  const clock = new FakeClock();
  const { client, requests } = await serve(() => undefined, { clock, requestTimeoutMs: 5000 });
  const got = client.get(resources.nodes, 'a');
  const rejected = assert.rejects(got, { code: 'Unavailable', message: /in 5000 ms/ });
  await eventually('the request', () => requests.length > 0);
  await clock.advance(5000);
  await rejected;
});

test('an unknown authority is refused', async () => {
  const { server } = await serve((_request, response) => json(response, 200, podObject));
  const { port } = server.address() as AddressInfo;
  const options = { clock: systemClock, log: silentLogger };
  const stranger = createHttpClient({ server: `https://127.0.0.1:${port}`, ...options });
  await assert.rejects(stranger.get(resources.nodes, 'a'), (error) =>
    hasCode(error, 'Unavailable'),
  );
});
