/**
 * Volumes of a real node: claims of local-path, what pods see of them, and what is left behind.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CoreV1EventList, PersistentVolume, PersistentVolumeClaim } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';
import { claimManifest, podManifest } from './volume-manifests.ts';

const skip = await labProblem();
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  node = await startNode({ images: [await fixtures.busybox()] });
  await node.waitReady();
});
after(async () => await node?.close());

const kubectl = (line: string): Promise<string> =>
  node.kubectl(line.split(' '), { timeoutMs: 90_000 });
async function get<T>(what: string): Promise<T> {
  return JSON.parse(await kubectl(`get ${what} -o json`)) as T;
}
async function phase(name: string, wanted: string): Promise<void> {
  await kubectl(`wait --for=jsonpath={.status.phase}=${wanted} pod/${name} --timeout=30s`);
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
    await kubectl(`wait --for=delete pv/${name} --timeout=30s`);
    assert.equal(await node.machine.sh('ls /var/lib/rancher/k3s/storage'), '');
  },
);
