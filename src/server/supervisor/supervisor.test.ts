import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { ApiStatusError } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { createAuthority, createEcKey, createSigningRequest } from '#pki/mod.ts';
import type { Authority } from '#pki/mod.ts';
import type { Authorities } from '../authorities.ts';
import type { ServerSettings } from '../settings.ts';
import { nodeCertificateRoutes } from './node-certificates.ts';
import { createNodePasswords } from './node-passwords.ts';
import { createSupervisorRouter } from './router.ts';
import { clusterRoutes } from './routes.ts';

const clock = new FakeClock();
const random = seededRandom(3);

const settings: ServerSettings = {
  dataDir: '/x',
  debug: false,
  bindAddress: '0.0.0.0',
  httpsPort: 6443,
  advertiseAddress: '10.0.0.1',
  advertisePort: 6443,
  tlsSans: [],
  clusterCidrs: ['10.42.0.0/16'],
  serviceCidrs: ['10.43.0.0/16'],
  nodePortRange: { first: 30_000, last: 32_767 },
  clusterDns: ['10.43.0.10'],
  clusterDomain: 'cluster.local',
  flannelBackend: 'vxlan',
  egressSelectorMode: 'agent',
  token: 'secret',
  agentToken: '',
  datastoreEndpoint: '',
  kubeconfig: { path: '', mode: 0o600, group: undefined },
  disabled: new Set(),
  disableAgent: false,
  disableScheduler: false,
  disableControllerManager: false,
  disableKubeProxy: false,
  disableNetworkPolicy: false,
  disableCloudController: false,
  disableHelmController: false,
  nodeName: 'a',
  nodeIps: ['10.0.0.1'],
};

async function authority(name: string): Promise<Authority> {
  return await createAuthority({
    commonName: name,
    keyPem: await createEcKey(),
    nowMs: clock.now(),
    serial: random.bytes(16),
  });
}

const callers: Record<string, { name: string; groups: string[] }> = {
  agent: { name: 'node', groups: ['k3s:agent'] },
  other: { name: 'eve', groups: ['system:authenticated'] },
  nodeB: { name: 'system:node:b', groups: ['system:nodes'] },
};

/** The supervisor's routes on a plain port; the authorization header names the caller. */
async function start(
  t: TestContext,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const [client, server] = [await authority('client-ca'), await authority('server-ca')];
  const authorities = { client, server } as Authorities;
  const nodePasswords = createNodePasswords({
    client: createFakeClient({ clock }),
    random,
    log: silentLogger,
  });
  const handle = createSupervisorRouter({
    log: silentLogger,
    authenticate: async (request) => {
      const name = request.headers.authorization;
      if (name === 'wrong') {
        throw new ApiStatusError({
          httpCode: 401,
          reason: 'Unauthorized',
          message: 'Unauthorized',
        });
      }
      return name === undefined ? undefined : callers[name];
    },
    routes: [
      ...clusterRoutes({
        settings,
        authorities,
        isReady: () => false,
        apiServers: async () => ['10.0.0.1:6443'],
      }),
      ...nodeCertificateRoutes({ authorities, sharedKeys: {}, nodePasswords, clock, random }),
    ],
  });
  const http = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(421).end();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  const { port } = http.address() as AddressInfo;
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

const as = (name: string, more: Record<string, string> = {}): RequestInit => ({
  headers: { authorization: name, ...more },
});

test('the authority is for anyone, the rest for agents', async (t) => {
  const call = await start(t);
  const cases: [string, RequestInit | undefined, number][] = [
    ['/cacerts', undefined, 200],
    ['/ping', undefined, 200],
    ['/v1-k3s/config', undefined, 403],
    ['/v1-k3s/config', as('other'), 403],
    ['/v1-k3s/config', as('wrong'), 401],
    ['/v1-k3s/config', as('agent'), 200],
    ['/v1-k3s/config', { ...as('agent'), method: 'DELETE' }, 405],
    ['/v1-k3s/readyz', as('agent'), 503],
    ['/v1-k3s/nonsense', as('agent'), 404],
    ['/api', as('agent'), 421],
  ];
  for (const [path, init, status] of cases) {
    assert.equal((await call(path, init)).status, status, `${path} ${JSON.stringify(init)}`);
  }
  assert.match(await (await call('/cacerts')).text(), /^-----BEGIN CERTIFICATE-----/);
});

test('the settings come with k3s’ field names and without secrets', async (t) => {
  const call = await start(t);
  const text = await (await call('/v1-k3s/config', as('agent'))).text();
  assert.ok(!text.includes('secret'));
  const config = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(config['ClusterIPRange'], { IP: '10.42.0.0', Mask: '//8AAA==' });
  assert.deepEqual(config['ServiceNodePortRange'], { Base: 30_000, Size: 2768 });
  assert.equal(config['ClusterDNS'], '10.43.0.10');
});

test('a node gets certificates for its own key, its name belongs to its password', async (t) => {
  const call = await start(t);
  const csr = await createSigningRequest(await createEcKey());
  const ask = (caller: string, name: string, password: string, body: Buffer | null = csr) =>
    call('/v1-k3s/client-kubelet.crt', {
      ...as(caller, { 'k3s-node-name': name, 'k3s-node-password': password }),
      method: 'POST',
      body: body === null ? null : new Uint8Array(body),
    });
  const answer = await ask('agent', 'b', 'one');
  assert.equal(answer.status, 200);
  const certificate = new X509Certificate(await answer.text());
  assert.equal(certificate.subject, 'O=system:nodes\nCN=system:node:b');
  assert.equal((await ask('agent', 'b', 'one')).status, 200);
  const refused = await ask('agent', 'b', 'two');
  assert.equal(refused.status, 403);
  const { message } = (await refused.json()) as { message: string };
  assert.match(message, /delete the secret kube-system\/b\.node-password\.k3s$/);
  assert.equal((await ask('nodeB', 'c', 'one')).status, 400, 'a node asks for its own name only');
  assert.equal((await ask('agent', '', 'one')).status, 400);
  assert.equal((await ask('agent', 'b', 'one', Buffer.from('garbage'))).status, 400);
  assert.equal((await ask('agent', 'b', 'one', null)).status, 400);
  assert.equal((await ask('agent', 'b', 'one', Buffer.alloc(100_000))).status, 413);
});
