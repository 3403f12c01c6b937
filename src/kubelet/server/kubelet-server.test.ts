import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as secureRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import type { Pod, SubjectAccessReview, TokenReview } from '#schema/types.ts';
import { openSpdy, remoteCommandProtocols } from '#streaming/mod.ts';
import { endCommand, startFakeStreamServer } from '#streaming/testing/mod.ts';
import type { FakeStreamServer } from '#streaming/testing/mod.ts';
import type { ContainerLookup } from '../kubelet-options.ts';
import type { ContainerStats } from '../cri/mod.ts';
import { nodeAttributes } from './access/authorize.ts';
import { createKubeletMetrics } from '../metrics/mod.ts';
import { createKubeletServer } from './kubelet-server.ts';
import type { KubeletServer } from './kubelet-server.ts';
import type { KubeletServerOptions } from './server-options.ts';

let directory: string;
let server: KubeletServer;
let runtime: FakeStreamServer;
let ca: string;
let port: number;
let admin: { cert: string; key: string };
let stranger: { cert: string; key: string };
/** Verb and subresource of every access review. */
const reviews: string[] = [];
const execs: unknown[] = [];

const pod: Pod = {
  metadata: { name: 'talk', namespace: 'default', uid: 'uid-1' },
  spec: { containers: ['main', 'waiting'].map((name) => ({ name, image: 'x' })) },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        image: 'x',
        imageID: '',
        ready: true,
        restartCount: 0,
        containerID: 'containerd://c1',
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      },
      {
        name: 'waiting',
        image: 'x',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: 'ImagePullBackOff' } },
      },
    ],
  },
};

const stats: ContainerStats = {
  attributes: {
    id: 'c1',
    labels: { 'io.kubernetes.pod.uid': 'uid-1', 'io.kubernetes.container.name': 'main' },
  },
  cpu: { timestamp: 0, usageCoreNanoSeconds: { value: 2_500_000_000 } },
  memory: { timestamp: 0, workingSetBytes: { value: 4096 } },
};

/** Answers reviews: the token `good` is jane, who may only see metrics; the admin may all. */
const client = {
  create: (resource: unknown, object: unknown) => {
    if (resource === resources.tokenReviews) {
      const isGood = (object as TokenReview).spec.token === 'good';
      const status = isGood
        ? { authenticated: true, user: { username: 'jane', groups: [] } }
        : { authenticated: false };
      return Promise.resolve({ status });
    }
    const { user, resourceAttributes: of } = (object as SubjectAccessReview).spec;
    reviews.push(`${user} ${of?.verb} ${of?.subresource}`);
    const allowed = user === 'admin' || of?.subresource === 'metrics';
    return Promise.resolve({ status: { allowed } });
  },
} as unknown as Client;

function optionsFor(tls: KubeletServerOptions['tls']): KubeletServerOptions {
  const lookup: ContainerLookup = {
    containerId: 'c1',
    sandboxId: 's1',
    logPath: join(directory, '0.log'),
    state: 'CONTAINER_RUNNING',
    startedAtMs: 0,
    finishedAtMs: 0,
    exitCode: 0,
  };
  const isTalk = (namespace: string, name: string): boolean =>
    namespace === 'default' && name === 'talk';
  const filesystem = { capacityBytes: 100, availableBytes: 40, inodes: 10, inodesFree: 5 };
  return {
    kubelet: {
      podByName: (namespace, name) => (isTalk(namespace, name) ? pod : undefined),
      pods: () => [pod],
      runningPods: () => [pod],
      metrics: createKubeletMetrics(),
      getContainer: (namespace, name, container, options) =>
        isTalk(namespace, name) && container === 'main' && options?.isPrevious !== true
          ? lookup
          : undefined,
      sandboxId: () => 's1',
    },
    runtime: {
      exec: (...args) => {
        execs.push(args.slice(0, 3));
        return Promise.resolve(`${runtime.url}/exec/token`);
      },
      attach: () => Promise.resolve(`${runtime.url}/attach/token`),
      portForward: () => Promise.resolve(`${runtime.url}/portforward/token`),
      execSync: (_id, command) =>
        Promise.resolve({
          stdout: Buffer.from(command.join('+')),
          stderr: Buffer.alloc(0),
          exitCode: 0,
        }),
      checkpointContainer: () => Promise.resolve(),
      listContainerStats: () => Promise.resolve([stats]),
    },
    client,
    nodeName: 'node-1',
    tls,
    address: '127.0.0.1',
    port: 0,
    usage: {
      node: () =>
        Promise.resolve({
          cpuUsageNanoseconds: 5e9,
          memoryBytes: 1000,
          memoryAvailableBytes: 600,
          startTimeMs: 0,
          nodeFs: filesystem,
          imageFs: filesystem,
          maxPid: 100,
          processCount: 10,
        }),
      pod: () => Promise.resolve(undefined),
    },
    configuration: () => ({ maxPods: 110 }),
    logDirectory: directory,
    checkpointDirectory: directory,
    clock: systemClock,
    log: silentLogger,
  };
}

async function credentials(
  authority: Awaited<ReturnType<typeof createAuthority>>,
  commonName: string,
  purpose: 'client' | 'server',
): Promise<{ cert: string; key: string }> {
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName,
    ipAddresses: purpose === 'server' ? ['127.0.0.1'] : [],
    purposes: [purpose],
    key,
    nowMs: systemClock.now(),
    serial: systemRandom.bytes(8),
  });
  return { cert, key };
}

async function authorityOf(commonName: string): ReturnType<typeof createAuthority> {
  const serial = systemRandom.bytes(8);
  const nowMs = systemClock.now();
  return await createAuthority({ commonName, keyPem: await createEcKey(), nowMs, serial });
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubelet-server-'));
  await writeFile(
    join(directory, '0.log'),
    '2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:02Z stdout F two\n',
  );
  runtime = await startFakeStreamServer({
    expect: ['error', 'stdout'],
    run: async (command) => {
      command.streams.get('stdout')?.write(command.url);
      endCommand(command, { status: 'Success' });
    },
  });
  const [serving, clients, others] = await Promise.all(
    ['server-ca', 'client-ca', 'other-ca'].map(authorityOf),
  );
  assert.ok(serving !== undefined && clients !== undefined && others !== undefined);
  ca = serving.certificatePem;
  admin = await credentials(clients, 'admin', 'client');
  stranger = await credentials(others, 'admin', 'client');
  const { cert, key } = await credentials(serving, 'node-1', 'server');
  const clientAuthority = clients.certificatePem;
  server = createKubeletServer(optionsFor({ certificate: cert, key, clientAuthority }));
  port = await server.listen();
});

after(async () => {
  await server.close();
  await runtime.close();
  await rm(directory, { recursive: true });
});

function ask(
  path: string,
  options: RequestOptions = admin,
): Promise<{ status: number; type: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = secureRequest(
      { host: '127.0.0.1', port, ca, path, agent: false, ...options },
      (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.once('end', () => {
          const type = response.headers['content-type'];
          resolve({ status: response.statusCode ?? 0, type, body });
        });
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}

const bearer = (token: string): RequestOptions => ({
  headers: { Authorization: `Bearer ${token}` },
});

describe('access', () => {
  test('nobody gets in without a certificate of the cluster or a good token', async () => {
    for (const options of [{}, stranger, bearer('bad')]) {
      const { status, body } = await ask('/pods', options);
      assert.deepEqual([status, body], [401, 'Unauthorized']);
    }
  });

  test('the API server decides, and is asked once', async () => {
    reviews.length = 0;
    assert.equal((await ask('/metrics', bearer('good'))).status, 200);
    assert.equal((await ask('/metrics/resource', bearer('good'))).status, 200);
    const refused = await ask('/pods', bearer('good'));
    assert.equal(refused.status, 403);
    assert.equal(
      refused.body,
      'Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
    );
    assert.deepEqual(reviews, ['jane get metrics', 'jane get pods', 'jane get proxy']);
  });

  test('paths stand for subresources of the node', () => {
    const cases: readonly [method: string, path: string, expected: string][] = [
      ['GET', '/stats/summary', 'get stats'],
      ['GET', '/logs/syslog', 'get log'],
      ['GET', '/configz', 'get configz proxy'],
      ['POST', '/exec/a/b/c', 'create proxy'],
      ['GET', '/containerLogs/a/b/c', 'get proxy'],
      ['GET', '/healthz', 'get healthz proxy'],
    ];
    for (const [method, path, expected] of cases) {
      const { verb, subresources } = nodeAttributes(method, path);
      assert.equal([verb, ...subresources].join(' '), expected);
    }
  });
});

describe('answers', () => {
  const cases: readonly [path: string, status: number, body: string | RegExp][] = [
    ['/healthz', 200, 'ok'],
    ['/healthz/syncloop', 200, 'ok'],
    ['/healthz/other', 404, '404 page not found\n'],
    ['/pods', 200, /^\{"kind":"PodList","apiVersion":"v1","metadata":\{\},"items":\[\{"metadata"/],
    ['/configz', 200, '{"kubeletconfig":{"maxPods":110}}'],
    ['/containerLogs/default/talk/main', 200, 'one\ntwo\n'],
    ['/containerLogs/default/talk/main?tailLines=1', 200, 'two\n'],
    ['/containerLogs/default/talk/main?tailLines=x', 400, '{"message": "Unable to decode query."}'],
    ['/containerLogs/default/talk/main?limitBytes=0', 422, '{"message": "Invalid request."}'],
    ['/containerLogs/default/nobody/main', 404, 'pod "nobody" does not exist\n'],
    ['/containerLogs/default/talk/x', 404, 'container "x" not found in pod "talk"\n'],
    [
      '/containerLogs/default/talk/waiting',
      400,
      'container "waiting" in pod "talk" is waiting to start: trying and failing to pull image',
    ],
    [
      '/containerLogs/default/talk/main?previous=true',
      400,
      'previous terminated container "main" in pod "talk" not found',
    ],
    ['/exec/default/talk/main', 400, 'Upgrade request required'],
    ['/logs/0.log', 200, /^2026-01-01T00:00:01Z stdout F one/],
    ['/logs/', 200, /<a href="0.log">0.log<\/a>/],
    ['/logs/..%2f..%2fetc/passwd', 404, '404 page not found\n'],
    [
      '/metrics/resource',
      200,
      /\ncontainer_cpu_usage_seconds_total\{container="main",namespace="default",pod="talk"\} 2.5 \d+\n/,
    ],
    ['/metrics/cadvisor', 200, /\ncontainer_memory_working_set_bytes\{container="main",/],
    [
      '/metrics',
      200,
      /\nkubelet_http_requests_total\{long_running="false",method="GET",path="metrics\/resource",/,
    ],
    ['/stats/summary', 200, /"podRef":\{"name":"talk","namespace":"default","uid":"uid-1"\}/],
    ['/nothing', 404, '404 page not found\n'],
    ['/constructor', 404, '404 page not found\n'],
  ];
  for (const [path, status, body] of cases) {
    test(`${path} is ${status}`, async () => {
      const answer = await ask(path);
      assert.equal(answer.status, status);
      if (typeof body === 'string') assert.equal(answer.body, body);
      else assert.match(answer.body, body);
    });
  }

  test('run answers the output of a command', async () => {
    const answer = await ask('/run/default/talk/main?cmd=ls+-l', { ...admin, method: 'POST' });
    assert.equal(answer.body, 'ls+-l');
    assert.equal((await ask('/run/default/talk/main', admin)).status, 405);
  });
});

describe('exec', () => {
  const open = async (path: string) =>
    await openSpdy({
      connection: connectTls({ host: '127.0.0.1', port, ca, ...admin }),
      host: 'node-1',
      path,
      protocols: remoteCommandProtocols,
    });

  test('passes to the URL that the runtime gave', async () => {
    const { session, protocol } = await open(
      '/exec/default/talk/main?output=1&error=1&tty=1&command=ls&command=-l',
    );
    assert.equal(protocol, 'v4.channel.k8s.io');
    const streams = ['error', 'stdout'].map((streamtype) => session.openStream({ streamtype }));
    await Promise.all(streams.map(async (stream) => await stream.accepted));
    const output = await new Promise((resolve) => streams[1]?.once('data', resolve));
    assert.equal(String(output), '/exec/token');
    const asked = { stdin: false, stdout: true, stderr: false, tty: true };
    assert.deepEqual(execs.at(-1), ['c1', ['ls', '-l'], asked]);
    session.close();
  });

  test('refuses what cannot be', async () => {
    const cases: readonly [path: string, message: RegExp][] = [
      ['/exec/default/talk/main', /you must specify at least 1 of stdin, stdout, stderr$/],
      ['/exec/default/nobody/main?output=1', /unable to upgrade connection: pod does not exist$/],
      ['/exec/default/talk/other-uid/main?output=1', /pod does not exist$/],
      ['/exec/default/talk/waiting?output=1', /container not found \("waiting"\)$/],
      ['/portForward/default/talk/other-uid', /pod not found$/],
    ];
    for (const [path, message] of cases) await assert.rejects(open(path), { message });
  });
});
