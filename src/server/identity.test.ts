import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { lstat, mkdtemp, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { caHash } from '#pki/mod.ts';
import { ensureAuthorities, ensureServiceKey } from './authorities.ts';
import { prepareDataDir } from './data-dir.ts';
import { ensureJoinCredentials, rotateJoinToken } from './join-credentials.ts';
import { ensureLeafCertificates } from './leaf-certificates.ts';
import { serverPaths } from './paths.ts';
import type { ServerPaths } from './paths.ts';

const names = { dnsNames: ['localhost', 'kubernetes'], ipAddresses: ['127.0.0.1', '10.43.0.1'] };
const day = 24 * 3600 * 1000;

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'k3ts-server-'));
  t.after(() => rm(folder, { recursive: true }));
  const paths = serverPaths(folder);
  await prepareDataDir(folder, paths);
  const clock = new FakeClock();
  const random = seededRandom(7);
  return { folder, paths, clock, random };
}

async function certificates(paths: ServerPaths): Promise<Map<string, X509Certificate>> {
  const files = [
    'client-admin',
    'client-kube-apiserver',
    'client-kube-proxy',
    'serving-kube-apiserver',
    'client-auth-proxy',
    'etcd/server-client',
  ];
  const read = async (name: string): Promise<[string, X509Certificate]> => [
    name,
    new X509Certificate(await readFile(paths.tlsFile(`${name}.crt`))),
  ];
  return new Map(await Promise.all(files.map(read)));
}

test('certificates have k3s’ subjects, names, issuers and modes', async (t) => {
  const { paths, clock, random } = await setUp(t);
  const authorities = await ensureAuthorities({ paths, clock, random });
  await ensureLeafCertificates({ paths, authorities, names, clock, random, log: silentLogger });
  const found = await certificates(paths);
  const table: [string, string, string][] = [
    ['client-admin', 'O=system:masters\nCN=system:admin', 'k3s-client-ca'],
    ['client-kube-apiserver', 'O=system:masters\nCN=system:apiserver', 'k3s-client-ca'],
    ['client-kube-proxy', 'CN=system:kube-proxy', 'k3s-client-ca'],
    ['serving-kube-apiserver', 'CN=kube-apiserver', 'k3s-server-ca'],
    ['client-auth-proxy', 'CN=system:auth-proxy', 'k3s-request-header-ca'],
    ['etcd/server-client', 'CN=etcd-server', 'etcd-server-ca'],
  ];
  for (const [name, subject, issuer] of table) {
    const certificate = found.get(name);
    assert.equal(certificate?.subject, subject, name);
    assert.match(certificate.issuer, new RegExp(`^CN=${issuer}@\\d+$`), name);
    assert.equal((await stat(paths.tlsFile(`${name}.key`))).mode & 0o777, 0o600, name);
  }
  const serving = found.get('serving-kube-apiserver');
  assert.equal(
    serving?.subjectAltName,
    'DNS:localhost, DNS:kubernetes, IP Address:127.0.0.1, IP Address:10.43.0.1',
  );
  assert.equal((await stat(paths.tls)).mode & 0o777, 0o700);
});

test('a second start changes nothing, a late one renews with the same key', async (t) => {
  const { paths, clock, random } = await setUp(t);
  const run = async (): Promise<void> => {
    const authorities = await ensureAuthorities({ paths, clock, random });
    await ensureLeafCertificates({ paths, authorities, names, clock, random, log: silentLogger });
  };
  const file = paths.tlsFile('client-admin.crt');
  const key = paths.tlsFile('client-admin.key');
  await run();
  const [first, firstKey] = [await readFile(file, 'utf8'), await readFile(key, 'utf8')];
  await clock.advance(100 * day);
  await run();
  assert.equal(await readFile(file, 'utf8'), first);
  await clock.advance(200 * day);
  await run();
  assert.notEqual(await readFile(file, 'utf8'), first);
  assert.equal(await readFile(key, 'utf8'), firstKey);
});

test('the service key is made once, and the first of several signs', async (t) => {
  const { paths } = await setUp(t);
  const keys = await ensureServiceKey(paths);
  assert.match(keys, /^-----BEGIN RSA PRIVATE KEY-----/);
  assert.equal(await ensureServiceKey(paths), keys);
  assert.equal(await readFile(paths.serviceCurrentKey, 'utf8'), keys);
});

test('tokens are kept, shared with agents unless they have their own, and never silently replaced', async (t) => {
  const { paths, clock, random } = await setUp(t);
  const { server } = await ensureAuthorities({ paths, clock, random });
  const ensure = (token: string, agentToken = '') =>
    ensureJoinCredentials({ paths, serverCaPem: server.certificatePem, token, agentToken, random });
  const first = await ensure('');
  assert.match(
    first.serverToken,
    new RegExp(`^K10${caHash(server.certificatePem)}::server:[0-9a-f]{32}$`),
  );
  assert.equal(await readFile(paths.token, 'utf8'), `${first.serverToken}\n`);
  assert.equal(await readlink(paths.nodeToken), paths.token);
  assert.equal((await lstat(paths.agentToken)).isSymbolicLink(), true);
  assert.deepEqual(await ensure(''), first);
  assert.deepEqual(await ensure(first.serverToken), first);
  await assert.rejects(ensure('another'), { code: 'TokenMismatch' });
  const own = await ensure('', 'for-agents');
  assert.match(own.agentToken, /::node:for-agents$/);
  assert.equal(await readFile(paths.agentToken, 'utf8'), `${own.agentToken}\n`);
  const passwd = await readFile(paths.passwd, 'utf8');
  assert.match(passwd, /^for-agents,node,node,k3s:agent\n[0-9a-f]{32},server,server,k3s:server\n$/);
});

test('a rotated token replaces the old one in all files', async (t) => {
  const { paths, clock, random } = await setUp(t);
  const { server } = await ensureAuthorities({ paths, clock, random });
  const files = { paths, serverCaPem: server.certificatePem, agentToken: '' };
  const first = await ensureJoinCredentials({ ...files, token: '', random });
  const second = await rotateJoinToken({ ...files, newToken: '', random });
  assert.notEqual(second.serverToken, first.serverToken);
  assert.equal(await readFile(paths.nodeToken, 'utf8'), `${second.serverToken}\n`);
  assert.deepEqual(await ensureJoinCredentials({ ...files, token: '', random }), second);
  const old = { ...files, token: first.serverToken, random };
  await assert.rejects(ensureJoinCredentials(old), { code: 'TokenMismatch' });
  const third = await rotateJoinToken({ ...files, newToken: 'own', random });
  assert.match(third.agentToken, /::node:own$/);
  const withAgents = { ...files, agentToken: 'for-agents' };
  const fourth = await rotateJoinToken({ ...withAgents, newToken: 'new', random });
  assert.match(fourth.agentToken, /::node:for-agents$/);
  const bad = rotateJoinToken({ ...files, newToken: 'K10x', random });
  await assert.rejects(bad, { code: 'BadRequest' });
});

test('a data dir that cannot be used is refused by name', async (t) => {
  const { folder } = await setUp(t);
  await ensureServiceKey(serverPaths(folder));
  // A file where a folder would have to be.
  const blocked = join(serverPaths(folder).serviceKey, 'x');
  await assert.rejects(prepareDataDir(blocked, serverPaths(blocked)), {
    code: 'Usage',
    message: /^cannot use --data-dir /,
  });
});
