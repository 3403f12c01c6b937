import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { ConfigMap, Pod, Secret, ServiceAccount, Volume } from '#schema/types.ts';
import { commonUser, volumeContent } from './content.ts';
import { formatMap, quote } from './downward.ts';
import { hugePageBytes, memorySize } from './empty-dir.ts';
import { createTokenSource } from './tokens.ts';

const pod: Pod = {
  metadata: { name: 'web-0', namespace: 'shop', uid: 'u1', labels: { b: 'two', a: 'o"ne' } },
  spec: {
    serviceAccountName: 'sa',
    containers: [{ name: 'c', image: 'i', resources: { limits: { memory: '64Mi' } } }],
  },
};

function setup() {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const base = { apiVersion: 'v1', metadata: { name: 'conf', namespace: 'shop' } };
  const configMap: ConfigMap = {
    ...base,
    kind: 'ConfigMap',
    data: { text: 'hello' },
    binaryData: { raw: 'AAE=' },
  };
  const secret: Secret = { ...base, kind: 'Secret', data: { key: 'c2VjcmV0' } };
  const account: ServiceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'sa', namespace: 'shop' },
  };
  client.add(configMap, secret, account);
  const tokens = createTokenSource({ client, clock, log: silentLogger });
  const { signal } = new AbortController();
  const objects = {
    configMap: (namespace: string, name: string) =>
      client.get<ConfigMap>(resources.configMaps, name, { namespace }),
    secret: (namespace: string, name: string) =>
      client.get<Secret>(resources.secrets, name, { namespace }),
  };
  const files = async (volume: Omit<Volume, 'name'>, of: Pod = pod) => {
    const options = { pod: of, objects, tokens, allocatable: { cpu: '2' }, signal };
    const payload = await volumeContent({ name: 'v', ...volume }, options);
    return Object.fromEntries(
      [...payload].map(([path, { content, mode, uid }]) => [
        path,
        [content.toString('latin1'), mode.toString(8), uid],
      ]),
    );
  };
  return { clock, client, tokens, files, signal };
}

test('takes all keys of a config map, binary ones decoded', async () => {
  const { files } = setup();
  assert.deepEqual(await files({ configMap: { name: 'conf', defaultMode: 0o400 } }), {
    text: ['hello', '400', undefined],
    raw: ['\0\x01', '400', undefined],
  });
});

test('takes the listed keys of a secret with their paths and modes', async () => {
  const { files } = setup();
  const items = [{ key: 'key', path: 'a/b', mode: 0o600 }];
  assert.deepEqual(await files({ secret: { secretName: 'conf', items } }), {
    'a/b': ['secret', '600', undefined],
  });
});

test('says what is missing in the words of upstream, unless it is optional', async () => {
  const { files } = setup();
  const items = [{ key: 'no', path: 'x' }];
  const missing = async (volume: Omit<Volume, 'name'>, message: string): Promise<void> =>
    await assert.rejects(files(volume), { message });
  await missing({ configMap: { name: 'x' } }, 'configmap "x" not found');
  await missing({ secret: { secretName: 'x' } }, 'secret "x" not found');
  await missing({ configMap: { name: 'conf', items } }, 'references non-existent config key: no');
  await missing(
    { secret: { secretName: 'conf', items } },
    'references non-existent secret key: no',
  );
  assert.deepEqual(await files({ configMap: { name: 'x', optional: true } }), {});
  assert.deepEqual(await files({ secret: { secretName: 'conf', items, optional: true } }), {});
});

test('writes the downward API with maps as quoted lines', async () => {
  const { files } = setup();
  const items = [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'one', fieldRef: { fieldPath: "metadata.labels['a']" } },
    { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu' } },
    {
      path: 'memory',
      mode: 0o400,
      resourceFieldRef: { containerName: 'c', resource: 'limits.memory', divisor: '1Mi' },
    },
  ];
  assert.deepEqual(await files({ downwardAPI: { items } }), {
    labels: ['a="o\\"ne"\nb="two"', '644', undefined],
    one: ['o"ne', '644', undefined],
    cpu: ['2', '644', undefined],
    memory: ['64', '400', undefined],
  });
});

test('quotes as Go does', () => {
  assert.equal(quote('a\tb\n\x01é\u200b\u{1f600}'), '"a\\tb\\n\\x01é\\u200b😀"');
  assert.equal(formatMap({}), '');
});

test('projects several sources into one volume, and refuses those it does not know', async () => {
  const { files } = setup();
  const sources = [
    { configMap: { name: 'conf', items: [{ key: 'text', path: 'ca.crt' }] } },
    { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
    { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
  ];
  assert.deepEqual(await files({ projected: { sources } }), {
    'ca.crt': ['hello', '644', undefined],
    token: ['token-of-sa', '644', undefined],
    ns: ['shop', '644', undefined],
  });
  await assert.rejects(files({ projected: { sources: [{ podCertificate: {} as never }] } }), {
    message: 'projected volume source podCertificate is not supported by k3ts',
  });
});

test('tells all sources of a projected volume that fail, each text once', async () => {
  const { files } = setup();
  const absent = (name: string) => ({ configMap: { name } });
  const sources = [absent('x'), { secret: { name: 'y' } }, absent('x'), absent('conf')];
  await assert.rejects(files({ projected: { sources } }), {
    message: '[configmap "x" not found, secret "y" not found]',
  });
  await assert.rejects(files({ projected: { sources: [absent('x')] } }), {
    message: 'configmap "x" not found',
  });
});

test('gives the token to the one user of the pod, or to its group', async () => {
  const { files } = setup();
  const volume = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
  const withContext = (securityContext: object): Pod => ({
    ...pod,
    spec: { ...pod.spec, containers: pod.spec?.containers ?? [], securityContext },
  });
  const byUser = await files(volume, withContext({ runAsUser: 1000 }));
  assert.deepEqual(byUser['token']?.slice(1), ['600', 1000]);
  const byGroup = await files(volume, withContext({ fsGroup: 2000 }));
  assert.deepEqual(byGroup['token']?.slice(1), ['600', undefined]);
});

test('finds a common user only when all containers have the same', () => {
  const of = (...users: (number | undefined)[]): Pod => ({
    metadata: { name: 'p' },
    spec: {
      containers: users.map((runAsUser, index) => ({
        name: `c${index}`,
        image: 'i',
        securityContext: { runAsUser },
      })),
    },
  });
  assert.equal(commonUser(of(1, 1)), 1);
  assert.equal(commonUser(of(1, 2)), undefined);
  assert.equal(commonUser(of(1, undefined)), undefined);
});

test('renews a token at 80 % of its life and keeps the old one while the API fails', async () => {
  const { client, clock, tokens, signal } = setup();
  const spec = { audience: '', expirationSeconds: 1000 };
  const requests = (): number =>
    client.actions.filter(({ subresource }) => subresource === 'token').length;
  await tokens.token(pod, spec, signal);
  await tokens.token(pod, { ...spec, audience: 'vault' }, signal);
  assert.equal(requests(), 2);
  await clock.advance(799_000);
  await tokens.token(pod, spec, signal);
  assert.equal(requests(), 2);
  await clock.advance(1000);
  await client.delete(resources.serviceAccounts, 'sa', { namespace: 'shop' });
  assert.equal(await tokens.token(pod, spec, signal), 'token-of-sa');
  await clock.advance(200_000);
  await assert.rejects(tokens.token(pod, spec, signal), /failed to fetch token: .*"sa" not found/);
});

test('sizes memory volumes by the least of volume, pod and node', () => {
  const node = 1024 * 2 ** 20;
  assert.equal(memorySize(pod, undefined, node), 64 * 2 ** 20);
  assert.equal(memorySize(pod, '1Mi', node), 2 ** 20);
  assert.equal(
    memorySize(
      { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      '2Gi',
      node,
    ),
    node,
  );
});

test('huge pages are as large as the pod asks for', () => {
  const pod = (...names: string[]): Pod => ({
    metadata: { name: 'p' },
    spec: {
      containers: names.map((name) => ({
        name,
        image: 'i',
        resources: { requests: { [name]: '4Mi', memory: '1Mi' } },
      })),
    },
  });
  const small = 'hugepages-2Mi';
  const large = 'hugepages-1Gi';
  assert.equal(hugePageBytes(pod(small), 'HugePages'), 2 * 2 ** 20);
  assert.equal(hugePageBytes(pod(small, large), 'HugePages-1Gi'), 2 ** 30);
  assert.throws(() => hugePageBytes(pod(small, large), 'HugePages'), { code: 'VolumeSetUp' });
  assert.throws(() => hugePageBytes(pod(small), 'HugePages-1Gi'), { code: 'VolumeSetUp' });
  assert.throws(() => hugePageBytes(pod(), 'HugePages'), { code: 'VolumeSetUp' });
});
