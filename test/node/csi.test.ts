/**
 * Volumes of a CSI driver on a real node: registration, attaching, staging and publishing, what the
 * driver is told, growing, failures, restarts, and that nothing is left.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { signalProcess } from '#host/process.ts';
import type {
  CoreV1EventList,
  CSINode,
  Node,
  PersistentVolumeClaim,
  VolumeAttachmentList,
} from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';
import { csiObjects, podManifest } from './volume-manifests.ts';

const skip = await labProblem();
const driver = 'disk.csi.test';
const own = '/var/lib/kubelet/plugins/disk.csi.test';
let node: TestNode;
let driverProcess: ReturnType<TestNode['machine']['spawn']>;

before(async () => {
  if (skip !== false) return;
  node = await startNode({ images: [await fixtures.busybox()] });
  await node.waitReady();
  startDriver();
  await node.apply(csiObjects);
});
after(async () => await node?.close());

function startDriver(): void {
  const file = join(import.meta.dirname, '../fixtures/csi-driver.ts');
  const output = openSync(join(node.lab.directory, 'driver.log'), 'a');
  driverProcess = node.machine.spawn(process.execPath, [file, '/var/lib/kubelet', own], { output });
  closeSync(output);
}
const kubectl = (line: string): Promise<string> =>
  node.kubectl(line.split(' '), { timeoutMs: 120_000 });
async function get<T>(what: string): Promise<T> {
  return JSON.parse(await kubectl(`get ${what} -o json`)) as T;
}
async function phase(name: string, wanted: string): Promise<void> {
  await kubectl(`wait --for=jsonpath={.status.phase}=${wanted} pod/${name} --timeout=100s`);
}
async function events(name: string): Promise<string[]> {
  const list = await get<CoreV1EventList>(`events --field-selector involvedObject.name=${name}`);
  return list.items.map(({ reason, message }) => `${reason}: ${message}`);
}
interface Call {
  method: string;
  volumeId: string;
  volumeContext: Record<string, string>;
  publishContext: Record<string, string>;
  stagingTargetPath: string;
  targetPath: string;
}
/** What the driver was asked to do with volumes, and forgets it. */
async function calls(): Promise<Call[]> {
  const text = await node.machine.sh(`cat ${own}/calls; : >${own}/calls`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Call)
    .filter(({ method }) => method.endsWith('Volume'));
}
/** Plays the driver's attacher. */
async function attach(): Promise<void> {
  await waitFor('the attachment', async () => {
    const { items } = await get<VolumeAttachmentList>('volumeattachments');
    const [found] = items;
    if (found === undefined) return false;
    const status = { attached: true, attachmentMetadata: { device: 'sdx' } };
    const args = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    await node.kubectl(['patch', 'volumeattachment', found.metadata.name, ...args]);
    return true;
  });
}
const claimed = '[{ name: data, persistentVolumeClaim: { claimName: disk } }]';
const mounts = '[{ name: data, mountPath: /data }]';

test('a driver registers: CSINode, and what it says of the node', { skip }, async () => {
  await waitFor('the driver in the CSINode', async () => {
    const { spec, metadata } = await get<CSINode>('csinode node-1');
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'Node');
    assert.deepEqual(spec.drivers, [
      {
        name: driver,
        nodeID: 'id-of-node-1',
        topologyKeys: ['topology.csi.test/rack'],
        allocatable: { count: 7 },
      },
    ]);
    return true;
  });
  const { metadata } = await get<Node>('node node-1');
  assert.equal(metadata.labels?.['topology.csi.test/rack'], 'r1');
  const ids = metadata.annotations?.['csi.volume.kubernetes.io/nodeid'] ?? '';
  assert.deepEqual(JSON.parse(ids), { [driver]: 'id-of-node-1' });
});

test('a claim is attached, staged, published and taken down again', { skip }, async () => {
  await calls();
  const script = 'echo kept >/data/file; stat -c "%g %a" /data; sleep 1000';
  const spec = 'securityContext: { fsGroup: 2000 }';
  const pod = { name: 'user', script, volumes: claimed, mounts, spec };
  await node.apply(podManifest(pod));
  await attach();
  await phase('user', 'Running');
  const staging = '/var/lib/kubelet/plugins/kubernetes.io/csi/disk.csi.test/';
  const uid = await kubectl('get pod user -o jsonpath={.metadata.uid}');
  const target = `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/pv-disk/mount`;
  const [staged, published, ...more] = await calls();
  assert.deepEqual(more, []);
  assert.equal(staged?.method, 'NodeStageVolume');
  assert.equal(staged.volumeId, 'handle-1');
  assert.deepEqual(staged.publishContext, { device: 'sdx' });
  assert.deepEqual(staged.volumeContext, { kind: 'fast' });
  assert.ok(staged.stagingTargetPath.startsWith(staging));
  assert.equal(published?.method, 'NodePublishVolume');
  assert.equal(published.targetPath, target);
  assert.deepEqual(published.volumeContext, {
    kind: 'fast',
    'csi.storage.k8s.io/pod.name': 'user',
    'csi.storage.k8s.io/pod.namespace': 'default',
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': 'default',
    'csi.storage.k8s.io/ephemeral': 'false',
  });
  assert.ok(
    (await events('user')).includes(
      'SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv-disk" ',
    ),
  );
  await waitFor('the group of the volume', async () => {
    const log = await node.machine.sh('cat /var/log/pods/default_user_*/main/*.log');
    return log.includes('2000 2775');
  });
  const inUse = 'kubernetes.io/csi/disk.csi.test^handle-1';
  await waitFor('the volume in the status of the node', async () => {
    const { status } = await get<Node>('node node-1');
    return status?.volumesInUse?.[0] === inUse && status.volumesAttached?.[0]?.name === inUse;
  });

  await kubectl('delete pod user --now');
  const order = (await calls()).map(({ method }) => method);
  assert.deepEqual(order, ['NodeUnpublishVolume', 'NodeUnstageVolume']);
  await waitFor('the volume to be detached', async () => {
    const { items } = await get<VolumeAttachmentList>('volumeattachments');
    return items.length === 0;
  });
  assert.equal(await node.machine.sh(`cat ${own}/volumes/handle-1/file`), 'kept\n');
  assert.equal(await node.machine.sh(`find ${staging} -type f`), '');
});

test('what the driver says is wrong is told, and tried again', { skip }, async () => {
  await node.machine.sh(`echo the disk is on fire >${own}/fail-NodePublishVolume`);
  await node.apply(podManifest({ name: 'again', script: 'true', volumes: claimed, mounts }));
  await attach();
  const text =
    'FailedMount: MountVolume.SetUp failed for volume "pv-disk" : ' +
    'rpc error: code = Internal desc = the disk is on fire';
  await waitFor('the event', async () => (await events('again')).includes(text));
  await node.machine.sh(`rm ${own}/fail-NodePublishVolume`);
  await phase('again', 'Succeeded');
  await kubectl('delete pod again --now');
  await waitFor('the volume to be detached', async () => {
    const { items } = await get<VolumeAttachmentList>('volumeattachments');
    return items.length === 0;
  });
});

test('a volume of a pod’s own needs no claim', { skip }, async () => {
  await calls();
  const volumes = `[{ name: scratch, csi: { driver: ${driver}, volumeAttributes: { a: b } } }]`;
  const script = 'echo x >/data/file && cat /data/file';
  const inline = mounts.replace('data,', 'scratch,');
  await node.apply(podManifest({ name: 'inline', script, volumes, mounts: inline }));
  await phase('inline', 'Succeeded');
  const [published, ...more] = await calls();
  assert.match(published?.volumeId ?? '', /^csi-[0-9a-f]{64}$/);
  assert.equal(published?.volumeContext['csi.storage.k8s.io/ephemeral'], 'true');
  // A pod that has ended is unmounted, and may be deleted before.
  await kubectl('delete pod inline --now');
  await waitFor('the unmount', async () => {
    more.push(...(await calls()));
    return more.length > 0;
  });
  assert.deepEqual(
    more.map(({ method }) => method),
    ['NodeUnpublishVolume'],
  );
});

test('a volume that has grown is grown on the node', { skip }, async () => {
  // What the driver's resizer does.
  const patch = (kind: string, name: string, body: object, ...more: string[]): Promise<string> =>
    node.kubectl(['patch', kind, name, '--type=merge', '-p', JSON.stringify(body), ...more]);
  await patch('pv', 'pv-disk', { spec: { capacity: { storage: '32Mi' } } });
  await patch(
    'pvc',
    'disk',
    { status: { conditions: [{ type: 'FileSystemResizePending', status: 'True' }] } },
    '--subresource=status',
  );
  await calls();
  await node.apply(podManifest({ name: 'grown', script: 'sleep 1000', volumes: claimed, mounts }));
  await attach();
  await phase('grown', 'Running');
  const order = (await calls()).map(({ method }) => method);
  assert.deepEqual(order, ['NodeStageVolume', 'NodePublishVolume', 'NodeExpandVolume']);
  const { status } = await get<PersistentVolumeClaim>('pvc disk');
  assert.deepEqual(status?.capacity, { storage: '32Mi' });
  assert.equal(status.conditions, undefined);
  const text =
    'FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "pv-disk" ';
  assert.ok((await events('grown')).includes(text));
});

test('after kill -9 of k3ts the volume is taken down all the same', { skip }, async () => {
  await node.kill9();
  await node.restart();
  await node.waitReady();
  await kubectl('delete pod grown --now --timeout=100s');
  const order = (await calls()).map(({ method }) => method);
  assert.deepEqual(order.slice(-2), ['NodeUnpublishVolume', 'NodeUnstageVolume']);
  const left = await node.machine.sh("grep -c 'kubernetes.io[~/]csi' /proc/self/mountinfo || true");
  assert.equal(left, '0\n');
});

test('a driver that ends is taken out of the CSINode', { skip }, async () => {
  const ended = once(driverProcess, 'exit');
  for (const pid of await node.machine.processes(/csi-driver\.ts/)) signalProcess(pid, 'SIGKILL');
  await ended;
  await node.machine.sh(`rm /var/lib/kubelet/plugins_registry/${driver}-reg.sock`);
  await waitFor('the CSINode to be empty', async () => {
    const { spec } = await get<CSINode>('csinode node-1');
    return spec.drivers.length === 0;
  });
});
