/** Storage as kubectl shows it on a server without nodes: classes, claims, volumes, protection. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
});
after(async () => await api.close());

async function kubectl(line: string): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl(line.split(' '));
  assert.equal(code, 0, stderr);
  return stdout;
}
async function apply(manifest: object): Promise<void> {
  const { code, stderr } = await api.kubectl(['apply', '-f', '-'], {
    stdin: JSON.stringify(manifest),
  });
  assert.equal(code, 0, stderr);
}
const claim = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const volume = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/tmp/x' },
    ...spec,
  },
});
const claimPath = (name: string): string =>
  `/api/v1/namespaces/default/persistentvolumeclaims/${name}`;
const reasonsOf = (name: string): string =>
  `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`;
type Events = { items: { reason: string; message: string }[] };
const phaseOf = ({ json }: { json: unknown }): string | undefined =>
  (json as { status?: { phase?: string } }).status?.phase;

test('the default class is local-path, and its configuration can be edited', async () => {
  await api.until(
    '/apis/storage.k8s.io/v1/storageclasses/local-path',
    ({ status }) => status === 200,
  );
  assert.match(
    await kubectl('get storageclass'),
    /local-path \(default\) +rancher.io\/local-path +Delete +WaitForFirstConsumer +false/,
  );
  assert.match(
    await kubectl('get configmap local-path-config -n kube-system -o yaml'),
    /DEFAULT_PATH_FOR_NON_LISTED_NODES/,
  );
});

test('a claim without a class gets the default one and waits for its first pod', async () => {
  await apply(claim('plain'));
  assert.match(await kubectl('get pvc plain'), /plain +Pending +.*local-path/);
  const { json } = await api.until(reasonsOf('plain'), (answer) =>
    (answer.json as Events).items.some(({ reason }) => reason === 'WaitForFirstConsumer'),
  );
  const [event] = (json as Events).items;
  assert.equal(event?.message, 'waiting for first consumer to be created before binding');
  const patch = JSON.stringify({ spec: { resources: { requests: { storage: '2Gi' } } } });
  const { code, stderr } = await api.kubectl(['patch', 'pvc', 'plain', '-p', patch]);
  assert.equal(code, 1);
  assert.match(stderr, /only dynamically provisioned pvc can be resized|Forbidden|forbidden/);
});

test('volume and claim find each other, part, and say so', async () => {
  await apply(volume('vol', { storageClassName: 'manual' }));
  await apply(claim('bound', { storageClassName: 'manual' }));
  await api.until(claimPath('bound'), (answer) => phaseOf(answer) === 'Bound');
  assert.match(await kubectl('get pv vol'), /vol +1Gi +RWO +Retain +Bound +default\/bound +manual/);
  assert.match(await kubectl('get pvc bound'), /bound +Bound +vol +1Gi +RWO +manual/);
  await kubectl('delete pvc bound');
  const path = '/api/v1/persistentvolumes/vol';
  const { json } = await api.until(path, (answer) => phaseOf(answer) === 'Released');
  const { status } = json as { status: { lastPhaseTransitionTime?: string } };
  assert.ok(status.lastPhaseTransitionTime !== undefined);
  await kubectl('delete pv vol');
});

test('a volume that nobody deletes or recycles fails in the words of upstream', async () => {
  for (const [policy, text] of [
    ['Recycle', 'No recycler plugin found for the volume!'],
    [
      'Delete',
      'error getting deleter volume plugin for volume "Delete": no deletable volume plugin matched',
    ],
  ] as const) {
    const name = policy.toLowerCase();
    const key = 'kubernetes.io/hostname';
    const terms = [{ matchExpressions: [{ key, operator: 'Exists' }] }];
    const spec = {
      storageClassName: name,
      persistentVolumeReclaimPolicy: policy,
      // Upstream has no plugin that deletes local volumes.
      ...(policy === 'Delete'
        ? { hostPath: undefined, local: { path: '/mnt/x' } }
        : { hostPath: { path: '/mnt/x' } }),
      nodeAffinity: { required: { nodeSelectorTerms: terms } },
    };
    await apply(volume(name, spec));
    await apply(claim(name, { storageClassName: name }));
    await api.until(claimPath(name), (answer) => phaseOf(answer) === 'Bound');
    await kubectl(`delete pvc ${name}`);
    const path = `/api/v1/persistentvolumes/${name}`;
    const { json } = await api.until(path, (answer) => phaseOf(answer) === 'Failed');
    const { message } = (json as { status: { message: string } }).status;
    assert.equal(message, text.replace('"Delete"', `"${name}"`));
    await kubectl(`delete pv ${name}`);
  }
});

test('a class of attributes goes when it is deleted and nobody has it', async () => {
  await apply({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: { name: 'gold' },
    driverName: 'disk.test',
    parameters: { iops: '100' },
  });
  await kubectl('delete volumeattributesclass gold --timeout=60s');
});

test('--disable local-storage leaves no class', async () => {
  const other = await startTestApi({ disabled: new Set(['local-storage']) });
  try {
    const { stdout, stderr } = await other.kubectl(['get', 'storageclass']);
    assert.equal(stdout, '');
    assert.match(stderr, /No resources found/);
  } finally {
    await other.close();
  }
});
