/**
 * Volumes of a real node: claims of local-path, what pods see of them, and what is left behind.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CoreV1EventList, PersistentVolume, PersistentVolumeClaim } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';
import { claimManifest, localVolume, podManifest } from './volume-manifests.ts';

const skip = await labProblem();
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  node = await startNode({ images: [await fixtures.busybox()] });
  await node.waitReady();
});
after(async () => await node?.close());

const kubectl = (line: string): Promise<string> =>
  node.kubectl(line.split(' '), { timeoutMs: 120_000 });
async function get<T>(what: string): Promise<T> {
  return JSON.parse(await kubectl(`get ${what} -o json`)) as T;
}
async function phase(name: string, wanted: string): Promise<void> {
  await kubectl(`wait --for=jsonpath={.status.phase}=${wanted} pod/${name} --timeout=100s`);
}
async function written(pod: string): Promise<string> {
  const text = await node.machine.sh(`cat /var/log/pods/default_${pod}_*/main/*.log`);
  const lines = text.split('\n').map((line) => line.split(' ').slice(3).join(' '));
  return lines.join('\n').trimEnd();
}
async function events(name: string): Promise<string[]> {
  const list = await get<CoreV1EventList>(`events --field-selector involvedObject.name=${name}`);
  return list.items.map(({ reason, message }) => `${reason}: ${message}`);
}

test(
  'a claim gets a directory of the node when its pod is there, and loses it',
  { skip },
  async () => {
    assert.match(
      await kubectl('get storageclass'),
      /local-path \(default\) +rancher.io\/local-path +Delete +WaitForFirstConsumer +false/,
    );
    await node.apply(claimManifest('data'));
    await waitFor('the claim to wait', async () =>
      (await events('data')).includes(
        'WaitForFirstConsumer: waiting for first consumer to be created before binding',
      ),
    );
    const volumes = '[{ name: data, persistentVolumeClaim: { claimName: data } }]';
    const mounts = '[{ name: data, mountPath: /data }]';
    const script = 'echo kept >/data/file; stat -c %a /data';
    await node.apply(podManifest({ name: 'writer', script, volumes, mounts }));
    await phase('writer', 'Succeeded');
    assert.equal(await written('writer'), '777');
    const claim = await get<PersistentVolumeClaim>('pvc data');
    assert.equal(claim.status?.phase, 'Bound');
    assert.deepEqual(claim.status?.capacity, { storage: '16Mi' });
    const name = claim.spec?.volumeName ?? '';
    assert.equal(name, `pvc-${claim.metadata.uid}`);
    const volume = await get<PersistentVolume>(`pv ${name}`);
    const path = `/var/lib/rancher/k3s/storage/${name}_default_data`;
    assert.equal(volume.spec?.local?.path, path);
    assert.equal(await node.machine.sh(`cat ${path}/file`), 'kept\n');

    const read = podManifest({ name: 'reader', script: 'cat /data/file', volumes, mounts });
    await node.apply(read);
    await phase('reader', 'Succeeded');
    assert.equal(await written('reader'), 'kept');
    await kubectl('delete pod writer reader --now');
    await kubectl('delete pvc data');
    await kubectl(`wait --for=delete pv/${name} --timeout=100s`);
    assert.equal(await node.machine.sh('ls /var/lib/rancher/k3s/storage'), '');
  },
);

test('a volume made for a pod goes with it', { skip }, async () => {
  const template =
    'spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }';
  const volumes = `[{ name: own, ephemeral: { volumeClaimTemplate: { ${template} } } }]`;
  const mounts = '[{ name: own, mountPath: /data }]';
  const spec = 'securityContext: { fsGroup: 2000 }';
  const script = 'touch /data/file; stat -c "%g %a" /data /data/file';
  await node.apply(podManifest({ name: 'owner', script, volumes, mounts, spec }));
  await phase('owner', 'Succeeded');
  assert.equal(await written('owner'), '2000 2777\n2000 644');
  const claim = await get<PersistentVolumeClaim>('pvc owner-own');
  assert.equal(claim.metadata.ownerReferences?.[0]?.name, 'owner');
  await kubectl('delete pod owner --now');
  await kubectl('wait --for=delete pvc/owner-own --timeout=100s');
  await kubectl(`wait --for=delete pv/${claim.spec?.volumeName} --timeout=100s`);
});

test(
  'a local volume is bound with its node, and kept when its claim is gone',
  { skip },
  async () => {
    await node.machine.sh('mkdir -p /mnt/disk1');
    await node.apply(localVolume('disk1', '/mnt/disk1'));
    await node.apply(claimManifest('disk', 'storageClassName: local-disks'));
    const volumes = '[{ name: data, persistentVolumeClaim: { claimName: disk } }]';
    const mounts = '[{ name: data, mountPath: /data, subPath: a/b }]';
    const script = 'echo kept >/data/file; exec sleep 1000';
    await node.apply(podManifest({ name: 'local', script, volumes, mounts }));
    await phase('local', 'Running');
    await waitFor('the file', async () => {
      return (await node.machine.sh('cat /mnt/disk1/a/b/file || true')) === 'kept\n';
    });
    await kubectl('delete pvc disk --wait=false');
    assert.match(await kubectl('get pvc disk'), /disk +Terminating +disk1/);
    await kubectl('delete pod local --now');
    await kubectl('wait --for=delete pvc/disk --timeout=100s');
    await kubectl('wait --for=jsonpath={.status.phase}=Released pv/disk1 --timeout=100s');
    assert.equal(await node.machine.sh('cat /mnt/disk1/a/b/file'), 'kept\n');
  },
);

test('links do not lead out of a volume', { skip }, async () => {
  await node.machine.sh(
    'mkdir -p /mnt/trap && ln -sfn /etc /mnt/trap/out && ln -sfn in /mnt/trap/ok',
  );
  const volumes = '[{ name: trap, hostPath: { path: /mnt/trap } }]';
  const mounts = '[{ name: trap, mountPath: /data, subPath: out }]';
  await node.apply(podManifest({ name: 'escape', script: 'ls /data', volumes, mounts }));
  const text =
    'Error: failed to create subPath directory for volumeMount "trap" of container "main"';
  await waitFor('the refusal', async () => (await events('escape')).includes(`Failed: ${text}`));
  await kubectl('delete pod escape --now');
  await node.machine.sh('mkdir -p /mnt/trap/in && echo inside >/mnt/trap/in/file');
  const inside = mounts.replace('out', 'ok');
  await node.apply(
    podManifest({ name: 'within', script: 'cat /data/file', volumes, mounts: inside }),
  );
  await phase('within', 'Succeeded');
  assert.equal(await written('within'), 'inside');
});

test('hostPath volumes have to be what they say', { skip }, async () => {
  await node.machine.sh('mkdir -p /mnt/types && touch /mnt/types/file');
  const cases = [
    ['file', 'Directory', 'hostPath type check failed: /mnt/types/file is not a directory'],
    ['none', 'File', 'hostPath type check failed: /mnt/types/none is not a file'],
    ['none', 'Socket', 'hostPath type check failed: /mnt/types/none is not a socket file'],
    ['file', 'BlockDevice', 'hostPath type check failed: /mnt/types/file is not a block device'],
  ] as const;
  for (const [index, [name, type, text]] of cases.entries()) {
    const volumes = `[{ name: v, hostPath: { path: /mnt/types/${name}, type: ${type} } }]`;
    const mounts = '[{ name: v, mountPath: /v }]';
    const pod = `typed-${index}`;
    await node.apply(podManifest({ name: pod, script: 'true', volumes, mounts }));
    const event = `FailedMount: MountVolume.SetUp failed for volume "v" : ${text}`;
    await waitFor(event, async () => (await events(pod)).includes(event));
  }
  await node.kubectl(['delete', 'pod', '--now', ...cases.map((_, index) => `typed-${index}`)]);
  const volumes = '[{ name: v, hostPath: { path: /mnt/types/new/deep, type: DirectoryOrCreate } }]';
  const mounts = '[{ name: v, mountPath: /v, readOnly: true }]';
  const script = 'touch /v/x 2>/dev/null || echo read-only';
  await node.apply(podManifest({ name: 'made', script, volumes, mounts }));
  await phase('made', 'Succeeded');
  assert.equal(await written('made'), 'read-only');
  assert.equal(await node.machine.sh('stat -c %a /mnt/types/new/deep'), '755\n');
});

test('missing claims and sources say so and are waited for', { skip }, async () => {
  const volumes = '[{ name: late, configMap: { name: late } }]';
  const mounts = '[{ name: late, mountPath: /late }]';
  await node.apply(podManifest({ name: 'early', script: 'cat /late/key', volumes, mounts }));
  const text =
    'FailedMount: MountVolume.SetUp failed for volume "late" : configmap "late" not found';
  await waitFor('the event', async () => (await events('early')).includes(text));
  await kubectl('create configmap late --from-literal=key=now');
  await phase('early', 'Succeeded');
  assert.equal(await written('early'), 'now');
});

test('nothing is left of the pods', { skip }, async () => {
  await kubectl('delete pods --all --now --timeout=100s');
  await waitFor('the directories to go', async () => {
    return (await node.machine.sh('ls /var/lib/kubelet/pods')) === '';
  });
  const mounts = await node.machine.sh('cat /proc/self/mountinfo');
  assert.ok(!mounts.includes('/var/lib/kubelet/pods/'));
});
