import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Pod, ServiceAccount } from '#schema/types.ts';
import { createNodeCredentials } from './node-credentials.ts';

/** A provider that notes its requests and names its user after the environment. */
const program = `#!/bin/sh
read request
echo "$request $1" >> "$(dirname "$0")/asked"
cat <<END
{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1",
"cacheKeyType":"Registry","auth":{"*.acme.test":{"username":"$WHO","password":"pw"}}}
END
`;

const config = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: acme
    matchImages: ["*.acme.test/team"]
    defaultCacheDuration: 10m
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get]
    env: [{name: WHO, value: plugin}]
`;

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-credentials-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const optionsOf = (directory: string) => ({
  rootDirectory: directory,
  provider: { config: join(directory, 'providers.yaml'), binDirectory: directory },
  client: createFakeClient({ clock: new FakeClock() }),
  clock: new FakeClock(),
  log: silentLogger,
});
const pod: Pod = { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [] } };

test('a provider in charge is asked once while its answer is good', async (t) => {
  const directory = await directoryOf(t);
  await writeFile(join(directory, 'providers.yaml'), config);
  await writeFile(join(directory, 'acme'), program, { mode: 0o755 });
  const options = optionsOf(directory);
  const credentials = await createNodeCredentials(options);
  const users = async (image: string) =>
    (await credentials(image, pod)).map(({ auth }) => auth.username);
  assert.deepEqual(await users('eu.acme.test/team/app:1'), ['plugin']);
  assert.deepEqual(await users('eu.acme.test/team/other'), ['plugin']);
  assert.deepEqual(await users('eu.acme.test/elsewhere/app'), []);
  assert.deepEqual(await users('acme.example/team/app'), []);
  const asked = (): Promise<string> => readFile(join(directory, 'asked'), 'utf8');
  assert.equal(
    await asked(),
    '{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"eu.acme.test/team/app:1"} get\n',
  );
  await options.clock.advance(601_000);
  assert.deepEqual(await users('eu.acme.test/team/app:1'), ['plugin']);
  assert.equal((await asked()).trim().split('\n').length, 2);
});

test('a provider that fails gives nothing, and docker files of the node are read', async (t) => {
  const directory = await directoryOf(t);
  await writeFile(join(directory, 'providers.yaml'), config);
  await writeFile(join(directory, 'acme'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const credentials = await createNodeCredentials(optionsOf(directory));
  const auth = Buffer.from('node:pw').toString('base64');
  const auths = { 'eu.acme.test': { auth } };
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths }));
  const found = await credentials('eu.acme.test/team/app', pod);
  assert.deepEqual(
    found.map(({ auth: { username, password } }) => `${username}:${password}`),
    ['node:pw'],
  );
});

for (const [name, change, message] of [
  ['no file name', ['name: acme', 'name: a/b'], /provider name "a\/b" is no file name/],
  ['an unknown version', ['k8s.io/v1\n    args', 'k8s.io/v9\n    args'], /unsupported apiVersion/],
  ['no images', ['["*.acme.test/team"]', '[]'], /at least 1 item in matchImages/],
  ['another kind', ['kind: Cred', 'kind: Bread'], /a CredentialProviderConfig of/],
  ['a program that is not there', ['', ''], /plugin binary executable .*acme did not exist/],
] as const) {
  test(`the configuration is refused: ${name}`, async (t) => {
    const directory = await directoryOf(t);
    const text = change[0] === '' ? config : config.replace(change[0], change[1]);
    await writeFile(join(directory, 'providers.yaml'), text);
    await assert.rejects(createNodeCredentials(optionsOf(directory)), { message });
  });
}

const withToken = (more: string): string => `${config}    tokenAttributes:
      serviceAccountTokenAudience: registry
      cacheType: ServiceAccount
      ${more}
`;

test('a provider gets a token of the service account of the pod, and answers for it', async (t) => {
  const directory = await directoryOf(t);
  const text = withToken(`requireServiceAccount: true
      requiredServiceAccountAnnotationKeys: [acme.test/role]
      optionalServiceAccountAnnotationKeys: [acme.test/more]`);
  await writeFile(join(directory, 'providers.yaml'), text);
  await writeFile(join(directory, 'acme'), program, { mode: 0o755 });
  const options = optionsOf(directory);
  const account = (name: string, annotations: Record<string, string>): ServiceAccount => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, annotations },
  });
  options.client.add(
    account('puller', { 'acme.test/role': 'reader', other: 'x' }),
    account('plain', {}),
  );
  const credentials = await createNodeCredentials(options);
  const of = (uid: string, serviceAccountName?: string): Pod => ({
    metadata: { name: uid, namespace: 'ns', uid },
    spec: { containers: [], serviceAccountName },
  });
  const image = 'eu.acme.test/team/app:1';
  const [found] = await credentials(image, of('a', 'puller'));
  assert.equal(found?.auth.username, 'plugin');
  const serviceAccount = { uid: 'uid-puller', namespace: 'ns', name: 'puller' };
  assert.deepEqual(found.serviceAccount, serviceAccount);
  assert.equal((await credentials(image, of('b', 'puller'))).length, 1);
  // No account, or one that has not opted in: the provider is not asked.
  assert.deepEqual(await credentials(image, of('c')), []);
  assert.deepEqual(await credentials(image, of('d', 'plain')), []);
  assert.deepEqual(await credentials(image, of('e', 'none')), []);
  const asked = (await readFile(join(directory, 'asked'), 'utf8')).trim().split('\n');
  assert.equal(asked.length, 1);
  const request = JSON.parse((asked[0] ?? '').replace(/ get$/, '')) as Record<string, unknown>;
  assert.equal(request['serviceAccountToken'], 'token-of-puller');
  assert.deepEqual(request['serviceAccountAnnotations'], { 'acme.test/role': 'reader' });
});

test('a provider whose answers are for one token is asked for each pod', async (t) => {
  const directory = await directoryOf(t);
  const text = withToken('requireServiceAccount: false').replace(
    'cacheType: ServiceAccount',
    'cacheType: Token',
  );
  await writeFile(join(directory, 'providers.yaml'), text);
  await writeFile(join(directory, 'acme'), program, { mode: 0o755 });
  const options = optionsOf(directory);
  options.client.add({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'sa', namespace: 'ns', uid: 'uid' },
  });
  const credentials = await createNodeCredentials(options);
  const of = (uid: string, serviceAccountName?: string): Pod => ({
    metadata: { name: uid, namespace: 'ns', uid },
    spec: { containers: [], serviceAccountName },
  });
  for (const one of [of('a', 'sa'), of('a', 'sa'), of('b', 'sa'), of('c')]) {
    assert.equal((await credentials('eu.acme.test/team/app', one)).length, 1);
  }
  const asked = (await readFile(join(directory, 'asked'), 'utf8')).trim().split('\n');
  assert.deepEqual(
    asked.map((line) => line.includes('serviceAccountToken')),
    [true, true, false],
  );
});

for (const [name, more, message] of [
  ['no decision', '', /requireServiceAccount is required/],
  [
    'annotations without an account',
    'requireServiceAccount: false\n      requiredServiceAccountAnnotationKeys: [a]',
    /requireServiceAccount cannot be false/,
  ],
] as const) {
  test(`token attributes are refused: ${name}`, async (t) => {
    const directory = await directoryOf(t);
    await writeFile(join(directory, 'providers.yaml'), withToken(more));
    await assert.rejects(createNodeCredentials(optionsOf(directory)), { message });
  });
}
