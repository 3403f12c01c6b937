import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { endCommand, startFakeStreamServer } from '#streaming/testing/mod.ts';
import type { FakeStreamServer } from '#streaming/testing/mod.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { CacheObjectReader } from '../cache-object-reader.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import { startTestServer } from '../test-server.ts';
import type { TestServer } from '../test-server.ts';
import { createConnectHandler } from './connect-handler.ts';
import type { BackendAddress } from './kubelet-transport.ts';

let target: TestServer;
let origin: { port: number; ca: string };
let runtime: FakeStreamServer;
let kubelet: Server;
const asked: string[] = [];
let forbiddenVerb = 'none';
let isLogAsked = false;
let lastBackend: BackendAddress | undefined;

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Answers what kubelets and pods answer over plain HTTP. */
function answerHttp(incoming: IncomingMessage, response: ServerResponse): void {
  asked.push(incoming.url ?? '');
  const { pathname } = new URL(incoming.url ?? '/', 'http://x');
  if (pathname.endsWith('/waiting')) {
    response.writeHead(400).end('container "waiting" in pod "talk" is waiting to start: Boring');
  } else if (pathname.startsWith('/containerLogs/')) {
    response.end('line one\nline two\n');
  } else if (pathname === '/page') {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end('<a href="/next" class=x>n</a><img src="http://other/x"><a href=\'rel\'>');
  } else if (pathname === '/move') {
    response.writeHead(302, { Location: '/elsewhere?a=b' }).end();
  } else {
    response.end(`${incoming.method} ${incoming.url} ${incoming.headers.authorization ?? 'none'}`);
  }
}

before(async () => {
  runtime = await startFakeStreamServer({
    expect: ['error', 'stdout'],
    protocols: ['v4.channel.k8s.io', 'portforward.k8s.io'],
    run: async (command) => {
      command.streams.get('stdout')?.write(command.url);
      endCommand(command, { status: 'Success' });
    },
  });
  kubelet = createServer(answerHttp);
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  // Made once there is a server to read from.
  const made: { handler?: ConnectHandler } = {};
  const authorizer: Authorizer = {
    authorize: ({ verb }) =>
      Promise.resolve({ decision: verb === forbiddenVerb ? 'deny' : 'allow', reason: '' }),
  };
  const connectHook: ConnectHandler = {
    handles: (info) => made.handler?.handles(info) === true,
    request: async (input) => await made.handler?.request(input),
    upgrade: async (input) => await made.handler?.upgrade(input),
  };
  target = await startTestServer({ extensions: { authorizer, connect: connectHook } });
  made.handler = createConnectHandler({
    reader: new CacheObjectReader(target.server.core.registry),
    authorizer,
    transport: {
      connectKubelet: async () => await dial(isLogAsked ? portOf(kubelet) : runtime.port),
      connectBackend: async (address) => {
        lastBackend = address;
        return await dial(portOf(kubelet));
      },
    },
    clock: systemClock,
    random: seededRandom(1),
    log: silentLogger,
  });
  origin = await target.listen();
  await createObjects(target.client);
});

after(async () => {
  await target.close();
  await runtime.close();
  await new Promise((resolve) => kubelet.close(resolve));
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function createObjects(client: Client): Promise<void> {
  const node: Node = {
    metadata: { name: 'node-1' },
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  };
  await client.create(resources.nodes, node);
  const container = (name: string) => ({ name, image: 'x', ports: [{ containerPort: 8080 }] });
  const pods: [name: string, nodeName: string | undefined, containers: string[]][] = [
    ['talk', 'node-1', ['main', 'waiting']],
    ['one', 'node-1', ['main']],
    ['homeless', undefined, ['main']],
  ];
  for (const [name, nodeName, names] of pods) {
    const pod: Pod = {
      metadata: { name },
      spec: { nodeName, containers: names.map(container) },
    };
    await client.create(resources.pods, pod, { namespace: 'default' });
    const status = { podIP: name === 'homeless' ? '127.0.0.1' : '10.42.0.5' };
    await client.patch(
      resources.pods,
      name,
      { type: 'merge', body: { status } },
      { namespace: 'default', subresource: 'status' },
    );
  }
}

const podPath = (rest: string): string => `/api/v1/namespaces/default/pods/${rest}`;

/** A request without protocol switch. */
function get(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = secureRequest(
      { host: '127.0.0.1', ...origin, path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** A WebSocket until the server closes it: its messages by channel, or why it was refused. */
function talk(
  path: string,
  protocols: string[],
): Promise<{ protocol: string; channels: Map<number, string> } | { refused: string }> {
  const socket = new WebSocket(`wss://127.0.0.1:${origin.port}${path}`, protocols, {
    ca: origin.ca,
  });
  const channels = new Map<number, string>();
  socket.on('message', (message: Buffer) => {
    const channel = message[0] ?? 0;
    channels.set(channel, (channels.get(channel) ?? '') + message.toString('utf8', 1));
  });
  return new Promise((resolve, reject) => {
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.once('end', () => resolve({ refused: text }));
    });
    socket.once('close', () => resolve({ protocol: socket.protocol, channels }));
    socket.once('error', reject);
  });
}

function messageOf(body: string): string {
  return (JSON.parse(body) as { message: string }).message;
}

describe('exec', () => {
  const query = 'exec?command=ls&command=-l&container=main&stdout=true';

  test('a WebSocket of version 5 is translated to SPDY', async () => {
    const answer = await talk(podPath(`talk/${query}`), ['v5.channel.k8s.io']);
    assert.ok('channels' in answer);
    assert.equal(answer.protocol, 'v5.channel.k8s.io');
    const path = '/exec/default/talk/main?output=1&command=ls&command=-l';
    assert.equal(answer.channels.get(1), path);
    assert.equal(answer.channels.get(3), '{"metadata":{},"status":"Success"}');
  });

  test('a refusal is a Status before the handshake', async () => {
    const cases: readonly [path: string, message: string][] = [
      ['nobody/exec?stdout=true', 'pods "nobody" not found'],
      [
        'talk/exec?stdout=true',
        'a container name must be specified for pod talk, choose one of: [main waiting]',
      ],
      ['talk/exec?container=x', 'container x is not valid for pod talk'],
      ['homeless/exec?stdout=true', 'pod homeless does not have a host assigned'],
    ];
    for (const [path, message] of cases) {
      const answer = await talk(podPath(path), ['v5.channel.k8s.io']);
      assert.ok('refused' in answer, path);
      assert.equal(messageOf(answer.refused), message);
    }
  });

  test('opening with GET needs the right to create', async () => {
    forbiddenVerb = 'create';
    const answer = await talk(podPath(`talk/${query}`), ['v5.channel.k8s.io']);
    forbiddenVerb = 'none';
    assert.ok('refused' in answer);
    assert.match(messageOf(answer.refused), /cannot create resource "pods\/exec"/);
  });

  test('a request without a protocol switch is refused', async () => {
    const answer = await get(podPath(`talk/${query}`));
    assert.equal(answer.status, 400);
    assert.equal(messageOf(answer.body), 'Upgrade request required');
  });

  test('credentials of the client stay here, other protocols pass to the kubelet', async () => {
    const answer = await talk(podPath(`talk/${query}`), [
      'base64url.bearer.authorization.k8s.io.c2VjcmV0',
      'v4.channel.k8s.io',
    ]);
    // The fake kubelet speaks SPDY only, and says so.
    assert.ok('refused' in answer);
    const { headers } = runtime.requests.at(-1) as IncomingMessage;
    assert.equal(headers['sec-websocket-protocol'], 'v4.channel.k8s.io');
  });
});

describe('log', () => {
  test('the kubelet is asked with the options that were given', async () => {
    isLogAsked = true;
    const answer = await get(podPath('one/log?tailLines=5&follow=true&timestamps=true'));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain');
    assert.equal(answer.body, 'line one\nline two\n');
    assert.equal(
      asked.at(-1),
      '/containerLogs/default/one/main?follow=true&timestamps=true&tailLines=5',
    );
  });

  test('what is wrong is said in upstream words', async () => {
    isLogAsked = true;
    const cases: readonly [path: string, status: number, message: RegExp][] = [
      ['talk/log?container=waiting', 400, /^container "waiting" in pod "talk" is waiting to start/],
      ['talk/log', 400, /choose one of: \[main waiting\]$/],
      ['one/log?tailLines=x', 400, /^strconv.ParseInt: parsing "x": invalid syntax$/],
      [
        'one/log?tailLines=-1&limitBytes=0',
        422,
        /^PodLogOptions "one" is invalid: \[tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0\]$/,
      ],
      ['nobody/log', 404, /^pods "nobody" not found$/],
    ];
    for (const [path, status, message] of cases) {
      const answer = await get(podPath(path));
      assert.equal(answer.status, status, path);
      assert.match(messageOf(answer.body), message);
    }
    assert.deepEqual((await get(podPath('homeless/log'))).body, '');
  });
});

describe('proxy', () => {
  const prefix = podPath('one:8080/proxy');

  test('requests go to the pod without credentials', async () => {
    const answer = await get(`${prefix}/a%20b?x=1`, {
      method: 'POST',
      headers: { Authorization: 'Bearer secret' },
      body: 'content',
    });
    assert.equal(answer.body, 'POST /a%20b?x=1 none');
    assert.deepEqual(lastBackend, { host: '10.42.0.5', port: 8080, isTls: false });
  });

  test('requests of all methods are passed on, without a verb of their own too', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await get(`${prefix}/m`, { method });
      assert.deepEqual([answer.status, answer.body], [200, `${method} /m none`]);
    }
    assert.equal((await get(`${prefix}/m`, { method: 'HEAD' })).status, 200);
    assert.equal((await get(podPath('one/log'), { method: 'OPTIONS' })).status, 405);
  });

  test('the path without a slash is redirected to the one with it', async () => {
    const answer = await get(`${prefix}?x=1`);
    assert.equal(answer.status, 301);
    assert.equal(answer.headers.location, `${prefix}/?x=1`);
  });

  test('links of pages and redirects lead through the proxy', async () => {
    assert.equal((await get(`${prefix}/move`)).headers.location, `${prefix}/elsewhere?a=b`);
    assert.equal(
      (await get(`${prefix}/page`)).body,
      `<a href="${prefix}/next" class=x>n</a><img src="http://other/x"><a href='rel'>`,
    );
  });

  test('what cannot be reached is refused', async () => {
    const cases: readonly [path: string, status: number, message: string][] = [
      [podPath('homeless/proxy/'), 400, 'address not allowed'],
      ['/api/v1/namespaces/default/services/web/proxy/', 404, 'services "web" not found'],
      [podPath('ftp:one:1/proxy/'), 400, 'invalid pod request "ftp:one:1"'],
    ];
    for (const [path, status, message] of cases) {
      const answer = await get(path);
      assert.equal(answer.status, status, path);
      assert.equal(messageOf(answer.body), message);
    }
  });
});
