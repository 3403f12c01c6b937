import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import {
  createAuthority,
  createEcKey,
  formatJoinToken,
  issueCertificate,
  publicKeyOfRequest,
} from '#pki/mod.ts';
import type { Authority } from '#pki/mod.ts';
import { agentPaths } from '../paths.ts';
import { joinCluster, writeAgentKubeconfigs } from './join-cluster.ts';
import { ensureNodeId, ensureNodePassword } from './node-identity.ts';
import { connectSupervisor } from './supervisor-client.ts';

const random = seededRandom(5);
const config = {
  HTTPSPort: 6443,
  ClusterDNSs: ['10.43.0.10'],
  ClusterDomain: 'cluster.local',
  FlannelBackend: 'vxlan',
  DisableKubeProxy: false,
  DisableNPC: false,
  ClusterIPRanges: [{ IP: '10.42.0.0', Mask: '//8AAA==' }],
  ServiceIPRanges: [{ IP: '10.43.0.0', Mask: '//8AAA==' }],
  ServiceNodePortRange: { Base: 30_000, Size: 2768 },
};

interface Supervisor {
  readonly url: string;
  readonly authority: Authority;
  readonly seen: { path: string; node: unknown; user: string }[];
}

/** A server that answers like a supervisor to the password `good`. */
async function startSupervisor(t: TestContext): Promise<Supervisor> {
  const nowMs = systemClock.now();
  const authority = await createAuthority({
    commonName: 'k3s-server-ca@1',
    keyPem: await createEcKey(),
    nowMs,
    serial: random.bytes(16),
  });
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName: 'k3s',
    ipAddresses: ['127.0.0.1'],
    purposes: ['server'],
    key,
    nowMs,
    serial: random.bytes(16),
  });
  const seen: Supervisor['seen'] = [];
  const answer = async (request: IncomingMessage): Promise<[number, string]> => {
    const path = request.url ?? '';
    if (path === '/cacerts') return [200, authority.certificatePem];
    const basic = request.headers.authorization?.replace(/^Basic /, '') ?? '';
    const user = Buffer.from(basic, 'base64').toString();
    const isKnown = (request.socket as TLSSocket).authorized && user === '';
    seen.push({ path, node: request.headers['k3s-node-name'], user: isKnown ? 'cert' : user });
    if (user !== 'node:good' && !isKnown) return [401, JSON.stringify({ message: 'Unauthorized' })];
    if (path === '/v1-k3s/config') return [200, JSON.stringify(config)];
    if (path === '/v1-k3s/client-ca.crt') return [200, authority.certificatePem];
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const pem = await issueCertificate({
      authority,
      commonName: path,
      purposes: ['client'],
      key: await publicKeyOfRequest(Buffer.concat(chunks)),
      nowMs,
      serial: random.bytes(16),
    });
    return [200, pem];
  };
  const tls = { key, cert, ca: authority.certificatePem, requestCert: true };
  const server = createServer({ ...tls, rejectUnauthorized: false }, (request, response) => {
    answer(request).then(
      ([status, body]) => response.writeHead(status).end(body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, authority, seen };
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'k3ts-agent-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('an agent gets settings, authorities, certificates and kubeconfigs', async (t) => {
  const { url, authority, seen } = await startSupervisor(t);
  const paths = agentPaths(await folderFor(t));
  const joined = await joinCluster({
    serverUrl: url,
    // Agents introduce themselves as node even with a server's token.
    token: formatJoinToken(authority.certificatePem, 'server', 'good'),
    nodeName: 'n1',
    nodeIps: ['10.0.0.5'],
    paths,
    identityDir: paths.etc,
    clock: new FakeClock(),
    random,
    log: silentLogger,
    signal: new AbortController().signal,
  });
  assert.deepEqual(joined.clusterCidrs, ['10.42.0.0/16']);
  assert.deepEqual(joined.nodePortRange, { first: 30_000, last: 32_767 });
  assert.equal(await readFile(paths.serverCa, 'utf8'), authority.certificatePem);
  for (const name of ['serving-kubelet', 'client-kubelet', 'client-kube-proxy']) {
    const certificate = new X509Certificate(await readFile(paths.file(`${name}.crt`)));
    assert.equal(certificate.subject, `CN=/v1-k3s/${name}.crt`);
    assert.equal((await stat(paths.file(`${name}.key`))).mode & 0o777, 0o600);
  }
  assert.ok(seen.every(({ user }) => user === 'node:good'));
  assert.ok(seen.some(({ node }) => node === 'n1'));
  await writeAgentKubeconfigs(paths, url);
  const kubeconfig = await readFile(paths.kubeletKubeconfig, 'utf8');
  assert.match(
    kubeconfig,
    new RegExp(`server: ${url}\n.*certificate-authority: ${paths.serverCa}`),
  );
});

test('a node that joined before comes back by its certificate, its token may have ended', async (t) => {
  const { url, authority, seen } = await startSupervisor(t);
  const paths = agentPaths(await folderFor(t));
  const joinWith = (password: string): Promise<unknown> =>
    joinCluster({
      serverUrl: url,
      token: formatJoinToken(authority.certificatePem, 'node', password),
      nodeName: 'n1',
      nodeIps: ['10.0.0.5'],
      paths,
      identityDir: paths.etc,
      clock: new FakeClock(),
      random,
      log: silentLogger,
      signal: new AbortController().signal,
    });
  await joinWith('good');
  seen.length = 0;
  await joinWith('ended');
  assert.ok(seen.length > 0 && seen.every(({ user }) => user === 'cert'));
  // A certificate that is no longer known leaves it to the token.
  await writeFile(paths.file('client-kubelet.crt'), await foreignCertificate(paths));
  await joinWith('good');
  assert.equal(seen.at(-1)?.user, 'node:good');
  await writeFile(paths.file('client-kubelet.crt'), await foreignCertificate(paths));
  await assert.rejects(joinWith('ended'), { code: 'InvalidToken' });
});

/** For the key of the kubelet, from an authority that the server does not know. */
async function foreignCertificate(paths: ReturnType<typeof agentPaths>): Promise<string> {
  const nowMs = systemClock.now();
  const serial = random.bytes(16);
  const keyPem = await createEcKey();
  const authority = await createAuthority({ commonName: 'other', keyPem, nowMs, serial });
  return await issueCertificate({
    authority,
    commonName: 'system:node:n1',
    purposes: ['client'],
    key: await readFile(paths.file('client-kubelet.key'), 'utf8'),
    nowMs,
    serial,
  });
}

test('a wrong fingerprint or password ends joining with what to do', async (t) => {
  const { url, authority } = await startSupervisor(t);
  const paths = agentPaths(await folderFor(t));
  const attempt = (token: string): Promise<unknown> =>
    joinCluster({
      serverUrl: url,
      token,
      nodeName: 'n1',
      nodeIps: [],
      paths,
      clock: new FakeClock(),
      random,
      log: silentLogger,
      signal: new AbortController().signal,
    });
  await assert.rejects(attempt(`K10${'0'.repeat(64)}::node:good`), {
    code: 'InvalidToken',
    message: /^token CA hash does not match the Cluster CA certificate hash: /,
  });
  await assert.rejects(attempt(formatJoinToken(authority.certificatePem, 'node', 'bad')), {
    code: 'InvalidToken',
    message: /take it from server\/node-token on the server$/,
  });
  await assert.rejects(attempt('K10x::y'), { code: 'InvalidToken' });
});

test('a server that cannot be reached is named', async () => {
  const identity = undefined;
  await assert.rejects(
    connectSupervisor({ serverUrl: 'https://127.0.0.1:1', token: 'x', identity }),
    { code: 'Unavailable', message: /^cannot reach https:\/\/127\.0\.0\.1:1: / },
  );
  await assert.rejects(
    connectSupervisor({ serverUrl: 'http://127.0.0.1:1', token: 'x', identity }),
    { code: 'Usage' },
  );
});

test('an agent waits for its server and stops waiting when told to', async (t) => {
  const clock = new FakeClock();
  const stopper = new AbortController();
  const joining = joinCluster({
    serverUrl: 'https://127.0.0.1:1',
    token: 'x',
    nodeName: 'n1',
    nodeIps: [],
    paths: agentPaths(await folderFor(t)),
    clock,
    random,
    log: silentLogger,
    signal: stopper.signal,
  });
  await eventually('the wait', () => clock.pendingTimers > 0);
  stopper.abort(new Error('stopped'));
  await assert.rejects(joining, /stopped/);
});

test('password and id of a node are made once', async (t) => {
  const folder = await folderFor(t);
  const password = await ensureNodePassword(random, folder);
  assert.match(password, /^[0-9a-f]{32}$/);
  assert.equal(await ensureNodePassword(random, folder), password);
  const id = await ensureNodeId(random, folder);
  assert.match(id, /^[0-9a-f]{8}$/);
  assert.equal(await ensureNodeId(random, folder), id);
  assert.equal((await stat(join(folder, 'password'))).mode & 0o777, 0o600);
});
