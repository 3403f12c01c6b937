import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { NoPodError, readPodListManifest, readPodManifest } from './static-pod-manifest.ts';
import type { ManifestOrigin } from './static-pod-manifest.ts';

const clock = new FakeClock();
const file: ManifestOrigin = { source: 'file', path: '/m/web.yaml', nodeName: 'node-1', clock };

const manifest = (spec: string, metadata = 'name: web'): string => `
apiVersion: v1
kind: Pod
metadata: { ${metadata} }
spec: ${spec}
`;
const plain = '{ containers: [{ name: c, image: web }] }';

test('a manifest gets the defaults of the API, and what makes it a pod of this node', async () => {
  const pod = await readPodManifest(manifest(plain), file);
  assert.equal(pod.metadata.name, 'web-node-1');
  assert.equal(pod.metadata.namespace, 'default');
  assert.match(pod.metadata.uid ?? '', /^[0-9a-f]{32}$/);
  assert.equal(pod.metadata.annotations?.['kubernetes.io/config.hash'], pod.metadata.uid);
  assert.equal(pod.metadata.annotations?.['kubernetes.io/config.source'], 'file');
  assert.equal(pod.spec?.nodeName, 'node-1');
  assert.equal(pod.spec?.restartPolicy, 'Always');
  assert.equal(pod.spec?.terminationGracePeriodSeconds, 30);
  assert.equal(pod.spec?.containers[0]?.imagePullPolicy, 'Always');
  assert.deepEqual(pod.spec?.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }]);
  assert.deepEqual(pod.status, { phase: 'Pending' });
});

test('the uid follows from the content and the place; one that is given stays', async () => {
  const uidOf = async (text: string, origin = file) =>
    (await readPodManifest(text, origin)).metadata.uid;
  const first = await uidOf(manifest(plain));
  assert.equal(await uidOf(manifest(plain)), first);
  assert.notEqual(await uidOf(manifest(plain), { ...file, path: '/m/other.yaml' }), first);
  assert.notEqual(await uidOf(manifest(plain), { ...file, nodeName: 'node-2' }), first);
  assert.notEqual(await uidOf(manifest(plain.replace('web', 'web:2'))), first);
  assert.equal(await uidOf(manifest(plain, 'name: web, uid: own')), 'own');
});

test('pods of a URL are the same for each node, and can be evicted', async () => {
  const url: ManifestOrigin = { ...file, source: 'http', path: 'http://x/pods' };
  const pod = await readPodManifest(manifest(plain), url);
  const other = await readPodManifest(manifest(plain), { ...url, nodeName: 'node-2' });
  assert.equal(pod.spec?.tolerations, undefined);
  assert.equal(pod.metadata.uid, other.metadata.uid);
  assert.notEqual(pod.metadata.name, other.metadata.name);
});

test('a toleration that is there already is not doubled', async () => {
  const spec = plain.replace('{', '{ tolerations: [{ operator: Exists, effect: NoExecute }],');
  const pod = await readPodManifest(manifest(spec), file);
  assert.equal(pod.spec?.tolerations?.length, 1);
});

test('what the API would refuse is refused, in its words', async () => {
  const table: [text: string, problem: string | RegExp][] = [
    [manifest(plain, 'labels: {}'), 'invalid pod: name is needed for the pod'],
    [manifest('{ containers: [] }'), 'invalid pod: [spec.containers: Required value]'],
    [
      manifest('{ containers: [{ name: C, image: web }], restartPolicy: Sometimes }'),
      /^invalid pod: \[spec\.containers\[0\]\.name: Invalid value: "C": .* spec\.restartPolicy: Unsupported value: "Sometimes"/,
    ],
    [
      manifest(plain, 'name: Web_1'),
      /^invalid pod: \[metadata\.name: Invalid value: "Web_1-node-1"/,
    ],
    [
      manifest(plain.replace('{', '{ volumes: [{ name: v, secret: { secretName: s } }],')),
      'static pods may not reference secrets',
    ],
    [
      manifest(plain.replace('{', '{ serviceAccountName: me,')),
      'static pods may not reference serviceaccounts',
    ],
  ];
  for (const [text, message] of table) {
    await assert.rejects(readPodManifest(text, file), { code: 'StaticPod', message });
  }
});

test('what holds no pod says what it holds', async () => {
  const table: [text: string, problem: string | RegExp][] = [
    ['metadata: {}', /^Object 'Kind' is missing in '\{"metadata":\{\}\}'$/],
    ['kind: Pod', /^Object 'apiVersion' is missing/],
    [
      'apiVersion: v2\nkind: Pod',
      'no kind "Pod" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    ['apiVersion: v1\nkind: Service', /^invalid pod: /],
    ['a: [', /yaml/],
    [manifest('{ containers: web }'), /^json: cannot unmarshal string into Go struct field /],
  ];
  for (const [text, message] of table) {
    await assert.rejects(readPodManifest(text, file), (error) => {
      assert.ok(error instanceof NoPodError, String(error));
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  }
});

test('a list of pods is read as a whole', async () => {
  const item = (name: string) => `{ metadata: { name: ${name} }, spec: ${plain} }`;
  const list = (items: string) => `apiVersion: v1\nkind: PodList\nitems: [${items}]\n`;
  const pods = await readPodListManifest(list(`${item('a')}, ${item('b')}`), file);
  assert.deepEqual(
    pods.map(({ kind, metadata }) => [kind, metadata.name]),
    [
      ['Pod', 'a-node-1'],
      ['Pod', 'b-node-1'],
    ],
  );
  await assert.rejects(readPodListManifest(list(`${item('a')}, ${item('""')}`), file), {
    message: 'invalid pod: name is needed for the pod',
  });
  await assert.rejects(
    readPodListManifest(manifest(plain), file),
    /^NoPodError: invalid pods list/,
  );
});
