import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type {
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
  VolumeAttachment,
} from '#schema/types.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { CycleState, Plugin } from '../framework/plugin.ts';
import { createInformerStorage } from '../informer-storage.ts';
import { createNodeVolumeLimits, reason as limitReason } from './node-volume-limits.ts';
import { clusterOf, labelledPod, on, refusals, zoneNode } from './plugin-bench.ts';
import { bindConflictReason, missingVolumeReason } from './volume-binding/find-volumes.ts';
import { nodeConflictReason } from './volume-binding/find-volumes.ts';
import { createVolumeBinding } from './volume-binding/volume-binding.ts';
import { createVolumeRestrictions, diskReason, exclusiveReason } from './volume-restrictions.ts';
import { createVolumeZone, reason as zoneReason } from './volume-zone.ts';

const namespace = 'default';
const zone = 'topology.kubernetes.io/zone';

const later = (provisioner: string): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'later' },
  provisioner,
  volumeBindingMode: 'WaitForFirstConsumer',
});
const claim = (
  name: string,
  volumeName?: string,
  change: Partial<PersistentVolumeClaim['spec'] & object> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace,
    annotations: volumeName === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' },
  },
  spec: {
    storageClassName: 'later',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    volumeName,
    ...change,
  },
});
const volume = (name: string, change: Partial<PersistentVolume['spec'] & object> = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: 'later',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
      ...change,
    },
    status: { phase: 'Available' },
  }) satisfies PersistentVolume;
const reaches = (node: string): PersistentVolume['spec'] => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
      ],
    },
  },
});
const using = (name: string, ...claims: string[]): Pod => podWith(name, ...claims.map(claimVolume));
const podWith = (name: string, ...volumes: Volume[]): Pod => labelledPod(name, {}, { volumes });
const claimVolume = (claimName: string): Volume => ({
  name: claimName,
  persistentVolumeClaim: { claimName },
});

async function setUp(...objects: KubeObject[]) {
  const clock = new FakeClock();
  const random = seededRandom(1);
  const client = createFakeClient({ clock, random });
  for (const object of objects) client.add(object);
  const { signal } = new AbortController();
  const informers = createInformerFactory({ client, clock, random, log: silentLogger, signal });
  const storage = createInformerStorage(informers, () => undefined);
  informers.start();
  await informers.synced();
  return { client, clock, storage };
}
const nodes = [zoneNode('a', 'one'), zoneNode('b', 'two')];

/** Why the pod cannot be placed anywhere. */
function early(plugin: Plugin, pod: Pod): string | undefined {
  return plugin.preFilter?.(new Map(), createPodInfo(pod), clusterOf(nodes))?.status?.reasons[0];
}

describe('VolumeBinding', () => {
  it('tells at once what no node can change', async () => {
    const parts = await setUp(later('p'), claim('now', undefined, { storageClassName: 'x' }));
    const plugin = createVolumeBinding(parts);
    assert.equal(early(plugin, using('p', 'none')), 'persistentvolumeclaim "none" not found');
    assert.equal(
      early(plugin, using('p', 'now')),
      'pod has unbound immediate PersistentVolumeClaims',
    );
    assert.equal(
      early(plugin, podWith('p', { name: 'e', ephemeral: {} })),
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-e"',
    );
  });

  it('keeps pods to the nodes that reach their volumes', async () => {
    const parts = await setUp(
      later('p'),
      claim('c', 'v'),
      claim('lost', 'gone'),
      volume('v', reaches('b')),
    );
    const plugin = createVolumeBinding(parts);
    const cache = clusterOf(nodes);
    assert.deepEqual(refusals(plugin, cache, using('p', 'c')), { a: nodeConflictReason, b: '' });
    assert.equal(refusals(plugin, cache, using('p', 'lost'))['a'], missingVolumeReason);
  });

  it('finds free volumes for claims that waited, the smallest, each for one claim', async () => {
    const parts = await setUp(
      later('kubernetes.io/no-provisioner'),
      claim('c1'),
      claim('c2'),
      claim('c3'),
      volume('small', { capacity: { storage: '512Mi' } }),
      volume('v1', reaches('b')),
      volume('v2', { ...reaches('b'), capacity: { storage: '1Gi' } }),
    );
    const plugin = createVolumeBinding(parts);
    const cache = clusterOf(nodes);
    const wanted = { a: bindConflictReason, b: '' };
    assert.deepEqual(refusals(plugin, cache, using('p', 'c1', 'c2')), wanted);
    const state: CycleState = new Map();
    const info = createPodInfo(using('p', 'c1'));
    plugin.preFilter?.(state, info, cache);
    plugin.filter?.(state, info, cache.nodes[1]!);
    plugin.reserve?.(state, info, 'b');
    // v2, the smaller one that suits, is promised: others have only v1 left
    assert.equal(refusals(plugin, cache, using('q', 'c2', 'c1'))['b'], '');
    assert.equal(refusals(plugin, cache, using('q', 'c2', 'c3'))['b'], bindConflictReason);
  });

  it('writes the decision and waits until the claims are bound', async () => {
    const parts = await setUp(later('example.com/disk'), claim('c'), claim('d'), volume('v'));
    const { client, clock, storage } = parts;
    const plugin = createVolumeBinding({ client, storage, clock });
    const cache = clusterOf(nodes);
    const state: CycleState = new Map();
    const info = createPodInfo(using('p', 'c', 'd'));
    plugin.preFilter?.(state, info, cache);
    assert.equal(plugin.filter?.(state, info, cache.nodes[0]!), undefined);
    plugin.reserve?.(state, info, 'a');
    const done = plugin.preBind?.(state, info, 'a');
    await clock.advance(10);
    const bound = await client.get<PersistentVolume>(resources.persistentVolumes, 'v');
    assert.equal(bound.spec?.claimRef?.name, 'c');
    const get = (name: string): Promise<PersistentVolumeClaim> =>
      client.get(resources.persistentVolumeClaims, name, { namespace });
    const chosen = (await get('d')).metadata.annotations;
    assert.equal(chosen?.['volume.kubernetes.io/selected-node'], 'a');
    for (const name of ['c', 'd']) {
      const metadata = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } };
      const body = { metadata, spec: { volumeName: 'v' } };
      const patch = { type: 'merge', body } as const;
      await client.patch(resources.persistentVolumeClaims, name, patch, { namespace });
    }
    await clock.advance(10);
    assert.equal(await done, undefined);
  });

  it('gives up when provisioning failed, and after its time', async () => {
    const { client, clock, storage } = await setUp(later('example.com/disk'), claim('d'));
    const plugin = createVolumeBinding({ client, storage, clock }, { bindTimeoutSeconds: 60 });
    const cache = clusterOf(nodes);
    const bind = () => {
      const state: CycleState = new Map();
      const info = createPodInfo(using('p', 'd'));
      plugin.preFilter?.(state, info, cache);
      plugin.filter?.(state, info, cache.nodes[0]!);
      return plugin.preBind?.(state, info, 'a');
    };
    const slow = bind();
    await clock.advance(60_000);
    assert.deepEqual((await slow)?.reasons, ['binding volumes: context deadline exceeded']);
    const refused = bind();
    await clock.advance(10);
    const body = { metadata: { annotations: { 'volume.kubernetes.io/selected-node': null } } };
    const patch = { type: 'merge', body } as const;
    await client.patch(resources.persistentVolumeClaims, 'd', patch, { namespace });
    await clock.advance(10);
    assert.deepEqual((await refused)?.reasons, [
      'binding volumes: provisioning failed for PVC "d"',
    ]);
  });
});

describe('other volume plugins', () => {
  it('a ReadWriteOncePod claim is for one pod', async () => {
    const { storage } = await setUp(claim('c', 'v', { accessModes: ['ReadWriteOncePod'] }));
    const plugin = createVolumeRestrictions(storage);
    const pods = [on('a', using('first', 'c'))];
    assert.deepEqual(refusals(plugin, clusterOf(nodes, pods), using('p', 'c')), {
      a: exclusiveReason,
      b: exclusiveReason,
    });
    assert.equal(refusals(plugin, clusterOf(nodes), using('p', 'c'))['a'], '');
  });

  it('a disk that is written is on one node', async () => {
    const { storage } = await setUp();
    const plugin = createVolumeRestrictions(storage);
    const gce = (readOnly: boolean): Volume => ({
      name: 'v',
      gcePersistentDisk: { pdName: 'disk', readOnly },
    });
    const at = (first: boolean, second: boolean): string | undefined =>
      refusals(
        plugin,
        clusterOf(nodes, [on('a', podWith('1', gce(first)))]),
        podWith('p', gce(second)),
      )['a'];
    assert.equal(at(false, true), diskReason);
    assert.equal(at(true, true), '');
  });

  it('zones of volumes bind their pods', async () => {
    const zoned = volume('v');
    const metadata = { name: 'v', labels: { [zone]: 'two__three' } };
    const { storage } = await setUp(claim('c', 'v'), { ...zoned, metadata });
    const plugin = createVolumeZone(storage);
    const cache = clusterOf([...nodes, zoneNode('x')]);
    assert.deepEqual(refusals(plugin, cache, using('p', 'c')), { a: zoneReason, b: '', x: '' });
  });

  it('a node has only as many volumes of a driver as it says', async () => {
    const csi = (name: string): KubeObject =>
      volume(name, { csi: { driver: 'd', volumeHandle: name } });
    const csiNode: CSINode = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'a' },
      spec: { drivers: [{ name: 'd', nodeID: 'a', allocatable: { count: 1 } }] },
    };
    const parts = await setUp(claim('c1', 'v1'), claim('c2', 'v2'), csi('v1'), csi('v2'), csiNode);
    const plugin = createNodeVolumeLimits(parts.storage);
    const cache = clusterOf(nodes, [on('a', using('1', 'c1'))]);
    assert.deepEqual(refusals(plugin, cache, using('p', 'c2')), { a: limitReason, b: '' });
    assert.equal(refusals(plugin, cache, using('p', 'c1'))['a'], '');
  });

  it('volumes of pods that are gone count as long as they are attached', async () => {
    const csi = (name: string): KubeObject =>
      volume(name, { csi: { driver: 'd', volumeHandle: name } });
    const csiNode: CSINode = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'a' },
      spec: { drivers: [{ name: 'd', nodeID: 'a', allocatable: { count: 1 } }] },
    };
    const attachment: VolumeAttachment = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'va' },
      spec: { attacher: 'd', nodeName: 'a', source: { persistentVolumeName: 'v1' } },
    };
    const claims = [claim('c1', 'v1'), claim('c2', 'v2')];
    const parts = await setUp(...claims, csi('v1'), csi('v2'), csiNode, attachment);
    const plugin = createNodeVolumeLimits(parts.storage);
    const cache = clusterOf(nodes);
    assert.deepEqual(refusals(plugin, cache, using('p', 'c2')), { a: limitReason, b: '' });
    assert.equal(refusals(plugin, cache, using('p', 'c1'))['a'], '');
  });
});
