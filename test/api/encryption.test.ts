/** Encryption at rest: what is on disk, what clients see, and how keys change. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import type { CommandAnswer, TestApi } from './server.ts';
import { startKmsPlugin } from './kms-plugin.ts';
import { k3ts } from './command-line.ts';
import { startTestApi, untilMs } from './server.ts';

const secrets = '/api/v1/namespaces/default/secrets';
const password = 'c3VwZXJnZWhlaW0=';
let folder: string;
let file: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k3ts-encryption-'));
  file = join(folder, 'encryption.yaml');
});
after(() => rm(folder, { recursive: true, force: true }));

/** The newest stored value of a key, as another program sees it. */
function storedValue({ dataDir }: TestApi, key: string): string {
  const path = join(dataDir, 'server', 'db', 'state.db');
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database
      .prepare('SELECT value FROM kine WHERE name = ? ORDER BY id DESC LIMIT 1')
      .get(key);
    return Buffer.from(row?.['value'] as Uint8Array).toString('latin1');
  } finally {
    database.close();
  }
}

function configText(...names: string[]): string {
  const keys = names.map((name) => ({
    name,
    secret: Buffer.alloc(32, name).toString('base64'),
  }));
  return JSON.stringify({
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [
      {
        resources: ['secrets'],
        providers: [{ secretbox: { keys } }, { identity: {} }],
      },
    ],
  });
}

const withFile = (): Promise<TestApi> =>
  startTestApi({
    datastoreEndpoint: '',
    apiServerArgs: readApiServerArgs([
      `encryption-provider-config=${file}`,
      'encryption-provider-config-automatic-reload=true',
    ]),
  });

const makeSecret = async (api: TestApi, name: string): Promise<void> => {
  const body = { metadata: { name }, data: { password } };
  assert.equal((await api.request('POST', secrets, { body })).status, 201);
};

test('--secrets-encryption makes the key file of k3s, and secrets are sealed on disk', async () => {
  const api = await startTestApi({ datastoreEndpoint: '', secretsEncryption: 'aescbc' });
  try {
    await makeSecret(api, 'one');
    const watch = await api.watch(`${secrets}?watch=true&resourceVersion=0`);
    const event = await watch.next();
    assert.deepEqual(event?.object['data'], { password });
    watch.close();
    const stored = storedValue(api, '/registry/secrets/default/one');
    assert.ok(stored.startsWith('k8s:enc:aescbc:v1:aescbckey:'), stored.slice(0, 40));
    assert.ok(!stored.includes(password) && !stored.includes('metadata'));
    const read = await api.request('GET', `${secrets}/one`);
    assert.deepEqual(read.at('data'), { password });
    const listed = await api.kubectl(['get', 'secret', 'one', '-o', 'jsonpath={.data.password}']);
    assert.equal(listed.stdout, password);
    const plain = { metadata: { name: 'c' }, data: { a: '1' } };
    await api.request('POST', '/api/v1/namespaces/default/configmaps', { body: plain });
    assert.ok(storedValue(api, '/registry/configmaps/default/c').startsWith('{'));
    const credentials = join(api.dataDir, 'server', 'cred');
    const config = JSON.parse(
      await readFile(join(credentials, 'encryption-config.json'), 'utf8'),
    ) as { resources: { providers: { aescbc?: { keys: { name: string }[] } }[] }[] };
    assert.equal(config.resources[0]?.providers[0]?.aescbc?.keys[0]?.name, 'aescbckey');
    const state = await readFile(join(credentials, 'encryption-state.json'), 'utf8');
    assert.match(state, /^start-[0-9a-f]{64}$/);
  } finally {
    await api.close();
  }
});

/** `k3ts secrets-encrypt` against the server, as its administrator runs it. */
async function secretsEncrypt(api: TestApi, ...args: string[]): Promise<CommandAnswer> {
  return await k3ts(['secrets-encrypt', ...args, '--server', api.url, '--data-dir', api.dataDir]);
}

test('secrets-encrypt shows the keys, rotates them, and turns encryption off and on', async () => {
  const api = await startTestApi({ datastoreEndpoint: '', secretsEncryption: 'secretbox' });
  const key = '/registry/secrets/default/one';
  try {
    await makeSecret(api, 'one');
    const before = await secretsEncrypt(api, 'status');
    assert.equal(
      before.stdout,
      [
        'Encryption Status: Enabled',
        'Current Rotation Stage: start',
        'Server Encryption Hashes: All hashes match',
        '',
        'Active  Key Type           Name',
        '------  --------           ----',
        ' *      XSalsa20-POLY1305  secretboxkey',
        '',
      ].join('\n'),
    );
    const early = await secretsEncrypt(api, 'rotate');
    assert.equal(early.code, 1);
    assert.match(early.stderr, /incorrect stage: start found/);
    const rotated = await secretsEncrypt(api, 'rotate-keys');
    assert.equal(rotated.stdout, 'keys rotated, reencryption completed\n', rotated.stderr);
    assert.match(storedValue(api, key), /^k8s:enc:secretbox:v1:secretboxkey-20[^:]+:/);
    const after = await secretsEncrypt(api, 'status');
    assert.match(after.stdout, /^Current Rotation Stage: reencrypt_finished$/m);
    assert.doesNotMatch(after.stdout, /secretboxkey$/m);
    await secretsEncrypt(api, 'disable');
    const off = await api.request('GET', `${secrets}/one`);
    await api.request('PUT', `${secrets}/one`, { body: off.json });
    assert.ok(storedValue(api, key).startsWith('{'));
    await secretsEncrypt(api, 'enable');
    await makeSecret(api, 'two');
    assert.match(storedValue(api, '/registry/secrets/default/two'), /^k8s:enc:secretbox:/);
    assert.deepEqual((await api.request('GET', `${secrets}/one`)).at('data'), { password });
  } finally {
    await api.close();
  }
});

test('a new key is taken over while the server runs, old values stay readable', async () => {
  await writeFile(file, configText('a'));
  const api = await withFile();
  try {
    await makeSecret(api, 'one');
    const key = '/registry/secrets/default/one';
    assert.match(storedValue(api, key), /^k8s:enc:secretbox:v1:a:/);
    await writeFile(file, configText('b', 'a'));
    const endMs = systemClock.monotonicMs() + untilMs;
    for (let i = 0; ; i++) {
      await makeSecret(api, `probe-${i}`);
      if (storedValue(api, `/registry/secrets/default/probe-${i}`).includes(':v1:b:')) break;
      assert.ok(systemClock.monotonicMs() < endMs, 'the file was not taken over');
      await systemClock.sleep(200);
    }
    const read = await api.request('GET', `${secrets}/one`);
    assert.deepEqual(read.at('data'), { password });
    // what the documentation of Kubernetes tells to do: a write that changes nothing
    const replaced = await api.request('PUT', `${secrets}/one`, { body: read.json });
    assert.equal(replaced.status, 200);
    assert.match(storedValue(api, key), /^k8s:enc:secretbox:v1:b:/);
    await writeFile(file, 'not: usable');
    const lateMs = systemClock.monotonicMs() + untilMs;
    while (!api.logLines.some((line) => line.includes('former one stays'))) {
      assert.ok(systemClock.monotonicMs() < lateMs, 'the file was not refused');
      await systemClock.sleep(50);
    }
    assert.equal((await api.request('GET', `${secrets}/one`)).status, 200);
  } finally {
    await api.close();
  }
});

test('values of a key that is gone fail as with upstream, others are served', async () => {
  const datastoreEndpoint = `sqlite://${join(folder, 'shared.db')}`;
  const withKey = async (name: string): Promise<TestApi> => {
    await writeFile(file, configText(name));
    const args = [`encryption-provider-config=${file}`];
    return await startTestApi({ datastoreEndpoint, apiServerArgs: readApiServerArgs(args) });
  };
  const first = await withKey('a');
  await makeSecret(first, 'one');
  await first.close();
  const api = await withKey('b');
  try {
    const why =
      'Internal error occurred: unable to transform key "/registry/secrets/default/one": ' +
      'no matching key was found for the provided Secretbox transformer';
    for (const path of [`${secrets}/one`, secrets]) {
      const answer = await api.request('GET', path);
      assert.equal(answer.status, 500);
      assert.equal(answer.at('message'), why);
    }
    await makeSecret(api, 'two');
    assert.deepEqual((await api.request('GET', `${secrets}/two`)).at('data'), { password });
    assert.equal((await api.request('GET', '/api/v1/nodes')).status, 200);
    const elsewhere = await api.request('GET', '/api/v1/namespaces/kube-public/secrets');
    assert.equal(elsewhere.status, 200);
  } finally {
    await api.close();
  }
});

test('a configuration that cannot be used ends the start with its reason', async () => {
  await writeFile(file, configText('a').replace('secretbox', 'rot13'));
  await assert.rejects(withFile(), {
    code: 'Usage',
    message: `error while parsing file ${file}: resources[0].providers[0]: unknown provider "rot13"`,
  });
});

test('a plugin holds the key: sealed on disk, readable after a restart, and in the health', async () => {
  const plugin = await startKmsPlugin(join(folder, 'kms.sock'));
  const kms = { apiVersion: 'v2', name: 'vault', endpoint: plugin.endpoint };
  const text = JSON.stringify({
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [{ resources: ['secrets'], providers: [{ kms }, { identity: {} }] }],
  });
  await writeFile(file, text);
  const api = await withFile();
  try {
    const body = { metadata: { name: 'k' }, data: { p: password } };
    assert.equal((await api.request('POST', secrets, { body })).status, 201);
    const stored = storedValue(api, '/registry/secrets/default/k');
    assert.ok(stored.startsWith('k8s:enc:kms:v2:vault:'));
    assert.ok(!stored.includes(password));
    await api.restart();
    assert.equal((await api.request('GET', `${secrets}/k`)).at('data.p'), password);
    assert.equal((await api.request('GET', '/readyz/kms-providers')).text, 'ok');
  } finally {
    await api.close();
    plugin.close();
  }
});
