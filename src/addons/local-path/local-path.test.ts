import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type {
  ConfigMap,
  CoreV1Event,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from '#schema/types.ts';
import { removeLocalPath, startLocalPath } from './local-path.ts';

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { 'kubernetes.io/hostname': 'host-1' } },
};
const provisioner = { 'volume.kubernetes.io/storage-provisioner': 'rancher.io/local-path' };
const path = '/storage/pvc-uid-1_shop_data';
const removed: PersistentVolume = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: {
    name: 'pvc-uid-1',
    annotations: {
      'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path',
      'local.path.provisioner/selected-node': 'node-1',
    },
  },
  spec: { local: { path }, persistentVolumeReclaimPolicy: 'Delete' },
  status: { phase: 'Released' },
};

function claim(
  selected: string | undefined,
  spec: PersistentVolumeClaimSpec = {},
): PersistentVolumeClaim {
  const chosen = selected === undefined ? {} : { 'volume.kubernetes.io/selected-node': selected };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'data',
      namespace: 'shop',
      uid: 'uid-1',
      annotations: { ...provisioner, ...chosen },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '128Mi' } },
      storageClassName: 'local-path',
      ...spec,
    },
  };
}

/** Runs the provisioner for a moment over these objects; `answer` is what the node says. */
async function run(objects: readonly KubeObject[], answer: () => void = () => undefined) {
  const clock = new FakeClock();
  const random = seededRandom(3);
  const client = createFakeClient({ clock, random, objects });
  const stop = new AbortController();
  const common = { client, clock, random, log: silentLogger, signal: stop.signal };
  const informers = createInformerFactory(common);
  const calls: string[] = [];
  const note = (what: string) => async (name: string, where: string) => {
    await Promise.resolve();
    calls.push(`${what} ${name}:${where}`);
    answer();
  };
  const directories = { make: note('make'), remove: note('remove') };
  const done = startLocalPath({ ...common, informers, storagePath: '/storage', directories });
  informers.start();
  for (let step = 0; step < 5; step++) await clock.advance(10);
  stop.abort();
  await done;
  const events = client
    .all<CoreV1Event>(resources.events)
    .map(({ reason, message }) => `${reason}: ${message}`);
  return { client, calls, events };
}

test('the class is the default one, waits for a pod, and its configuration names the path', async () => {
  const { client } = await run([]);
  const made = client.stored<StorageClass>(resources.storageClasses, 'local-path');
  const { annotations } = made?.metadata ?? {};
  assert.equal(annotations?.['storageclass.kubernetes.io/is-default-class'], 'true');
  assert.equal(annotations?.['defaultVolumeType'], 'local');
  assert.equal(made?.provisioner, 'rancher.io/local-path');
  assert.equal(made?.volumeBindingMode, 'WaitForFirstConsumer');
  assert.equal(made?.reclaimPolicy, 'Delete');
  const config = client.stored<ConfigMap>(resources.configMaps, 'kube-system/local-path-config');
  assert.deepEqual(JSON.parse(config?.data?.['config.json'] ?? ''), {
    nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: ['/storage'] }],
  });
});

test('a claim waits until the scheduler has chosen a node', async () => {
  const { calls, client } = await run([node, claim(undefined)]);
  assert.deepEqual(calls, []);
  assert.deepEqual(client.all(resources.persistentVolumes), []);
});

test('a claim with a node gets a directory there and a volume that stays with the node', async () => {
  const { calls, client, events } = await run([node, claim('node-1')]);
  assert.deepEqual(calls, [`make node-1:${path}`]);
  const made = client.stored<PersistentVolume>(resources.persistentVolumes, 'pvc-uid-1');
  assert.deepEqual(made?.metadata.annotations, removed.metadata.annotations);
  assert.deepEqual(made?.spec?.local, { path });
  assert.deepEqual(made?.spec?.capacity, { storage: '128Mi' });
  assert.equal(made?.spec?.claimRef?.uid, 'uid-1');
  assert.deepEqual(made?.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
    {
      matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-1'] }],
    },
  ]);
  assert.deepEqual(events, [
    'Provisioning: External provisioner is provisioning volume for claim "shop/data"',
    'ProvisioningSucceeded: Successfully provisioned volume pvc-uid-1',
  ]);
});

test('claims it cannot serve say why', async () => {
  const cases: [PersistentVolumeClaimSpec, string][] = [
    [
      { accessModes: ['ReadWriteMany'] },
      'NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.29+) access modes',
    ],
    [{ selector: { matchLabels: { a: 'b' } } }, 'claim.Spec.Selector is not supported'],
    [{ volumeMode: 'Block' }, 'rancher.io/local-path does not support block volume provisioning'],
  ];
  for (const [spec, why] of cases) {
    const { calls, events } = await run([node, claim('node-1', spec)]);
    assert.deepEqual(calls, []);
    const text = `ProvisioningFailed: failed to provision volume with StorageClass "local-path": ${why}`;
    assert.ok(events.includes(text), events.join('\n'));
  }
});

test('a node that fails is told in an event and nothing is made', async () => {
  const { client, events } = await run([node, claim('node-1')], () => {
    throw new Error('No space left on device');
  });
  assert.match(events.join('\n'), /^ProvisioningFailed: .*: No space left on device$/m);
  assert.deepEqual(client.all(resources.persistentVolumes), []);
});

test('the choice of a node that is gone is taken back', async () => {
  const { client } = await run([claim('node-2')]);
  const left = client.stored<PersistentVolumeClaim>(resources.persistentVolumeClaims, 'shop/data');
  assert.deepEqual(left?.metadata.annotations, provisioner);
});

test('a released volume goes after its directory', async () => {
  const { calls, client } = await run([node, removed]);
  assert.deepEqual(calls, [`remove node-1:${path}`]);
  assert.deepEqual(client.all(resources.persistentVolumes), []);
});

test('a volume stays while its node cannot remove the directory', async () => {
  const { client, events } = await run([node, removed], () => {
    throw new Error('connection refused');
  });
  assert.equal(client.all(resources.persistentVolumes).length, 1);
  assert.equal(events[0], 'VolumeFailedDelete: connection refused');
});

test('a volume of a node that is gone goes at once; retained and foreign ones stay', async () => {
  const gone = await run([removed]);
  assert.deepEqual(gone.calls, []);
  assert.deepEqual(gone.client.all(resources.persistentVolumes), []);
  const kept = { ...removed, spec: { ...removed.spec, persistentVolumeReclaimPolicy: 'Retain' } };
  const foreign = { ...removed, metadata: { name: 'other' } };
  const { client, calls } = await run([node, kept, foreign]);
  assert.deepEqual(calls, []);
  assert.equal(client.all(resources.persistentVolumes).length, 2);
});

test('disabled, class and configuration go unless somebody else made them', async () => {
  const { client } = await run([]);
  const clock = new FakeClock();
  const rest = { clock, log: silentLogger, signal: new AbortController().signal };
  await removeLocalPath({ client, ...rest });
  assert.deepEqual(client.all(resources.storageClasses), []);
  assert.deepEqual(client.all(resources.configMaps), []);
  const own: StorageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local-path' },
    provisioner: 'rancher.io/local-path',
  };
  const other = createFakeClient({ clock, random: seededRandom(4), objects: [own] });
  await removeLocalPath({ client: other, ...rest });
  assert.equal(other.all(resources.storageClasses).length, 1);
});
