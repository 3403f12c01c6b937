import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { isInPrivateMountNamespace, rerunPrivately } from '#host/testing.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { listMounts, mountOf, mountTmpfs } from '#host/mounts.ts';
import type { KubeObject } from '#schema/mod.ts';
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Volume,
} from '#schema/types.ts';
import { createVolumeManager, prepareVolumeRoot } from './mod.ts';
import type { VolumeManagerOptions } from './pod-volumes.ts';

/** The manager on the real kernel, below a directory of its own in a private mount namespace. */
async function setup(objects: readonly KubeObject[] = []) {
  const rootDirectory = await mkdtemp('/mnt/volumes-');
  const clock = new FakeClock();
  const client = createFakeClient({ clock, objects });
  const events: string[] = [];
  const options = {
    rootDirectory,
    client,
    objects: {
      configMap: (namespace: string, name: string) =>
        client.get<ConfigMap>(resources.configMaps, name, { namespace }),
      secret: (namespace: string, name: string) =>
        client.get<Secret>(resources.secrets, name, { namespace }),
    },
    events: {
      event: (_about: unknown, type: string, reason: string, message: string) =>
        void events.push(`${type} ${reason} ${message}`),
    },
    allocatable: () => ({ memory: '1Gi' }),
    nodeMemoryBytes: 2 ** 30,
    clock,
    random: seededRandom(1),
    log: silentLogger,
  };
  const { signal } = new AbortController();
  const start = (more: Partial<VolumeManagerOptions> = {}) =>
    createVolumeManager({ ...options, ...more });
  await prepareVolumeRoot(rootDirectory);
  return { rootDirectory, clock, client, events, signal, start, manager: start() };
}

/** A pod whose only container mounts all of the volumes. */
function podWith(volumes: Volume[], securityContext: object = {}): Pod {
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  return {
    metadata: { name: 'p', namespace: 'd', uid: 'u1' },
    spec: { containers: [{ name: 'c', image: 'i', volumeMounts }], volumes, securityContext },
  };
}

const configMap = (data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'conf', namespace: 'd' },
  data,
});

if (!isInPrivateMountNamespace()) {
  rerunPrivately(import.meta.filename);
} else {
  mountTmpfs('/mnt');

  test('mounts each kind in its place and removes all of it', async () => {
    const metadata = { name: 's', namespace: 'd' };
    const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata };
    const { rootDirectory, manager, signal } = await setup([configMap({ a: '1' }), secret]);
    const pod = podWith([
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'conf', configMap: { name: 'conf' } },
      { name: 'secret', secret: { secretName: 's' } },
      { name: 'host', hostPath: { path: join(rootDirectory, 'made'), type: 'DirectoryOrCreate' } },
    ]);
    const mounted = await manager.mount(pod, signal);
    const base = join(rootDirectory, 'pods/u1/volumes');
    assert.equal(mounted.get('disk')?.hostPath, `${base}/kubernetes.io~empty-dir/disk`);
    assert.equal((await stat(mounted.get('disk')?.hostPath ?? '')).mode & 0o7777, 0o777);
    assert.equal(mounted.get('conf')?.isReadOnly, true);
    const text = await readFile(`${base}/kubernetes.io~configmap/conf/a`, 'utf8');
    assert.equal(text, '1');
    const mounts = await listMounts();
    const typeOf = (path: string): string | undefined => mountOf(mounts, path)?.type;
    assert.equal(typeOf(`${base}/kubernetes.io~secret/secret`), 'tmpfs');
    const memory = mountOf(mounts, `${base}/kubernetes.io~empty-dir/memory`) ?? assert.fail();
    assert.ok(memory.superOptions.includes('size=1024k'), memory.superOptions.join());
    assert.ok(memory.propagation.some((tag) => tag.startsWith('shared:')));
    await writeFile(join(rootDirectory, 'made/precious'), 'x');
    assert.deepEqual(await manager.podsOnDisk(), ['u1']);
    await manager.unmount('u1');
    await manager.unmount('u1');
    assert.deepEqual(await manager.podsOnDisk(), []);
    assert.equal(
      (await listMounts()).some(({ path }) => path.startsWith(base)),
      false,
    );
    assert.equal(await readFile(join(rootDirectory, 'made/precious'), 'utf8'), 'x');
  });

  test('keeps emptyDir content and finds mounts again after a restart', async () => {
    const { start, manager, signal } = await setup();
    const pod = podWith([
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
    ]);
    const first = await manager.mount(pod, signal);
    for (const { hostPath } of first.values()) await writeFile(join(hostPath, 'kept'), 'x');
    const again = await start().mount(pod, signal);
    for (const { hostPath } of again.values()) {
      assert.equal(await readFile(join(hostPath, 'kept'), 'utf8'), 'x');
    }
    await start().unmount('u1');
  });

  test('updates a mounted config map on resync, and only then writes', async () => {
    const { client, manager, signal } = await setup([configMap({ a: '1' })]);
    const pod = podWith([{ name: 'conf', configMap: { name: 'conf' } }]);
    const directory = (await manager.mount(pod, signal)).get('conf')?.hostPath ?? '';
    const before = await readlink(join(directory, '..data'));
    await manager.resync(pod, signal);
    assert.equal(await readlink(join(directory, '..data')), before);
    client.modify<ConfigMap>(resources.configMaps, 'd/conf', (map) => ({
      ...map,
      data: { b: '2' },
    }));
    await manager.resync(pod, signal);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => !name.startsWith('..')),
      ['b'],
    );
    await manager.unmount('u1');
  });

  test('reports a missing object, and mounts once it is there', async () => {
    const { clock, client, events, manager, signal } = await setup();
    const pod = podWith([{ name: 'v', configMap: { name: 'conf' } }]);
    const mounting = manager.mount(pod, signal);
    await eventually('an event', () => events.length > 0);
    client.add(configMap({ a: '1' }));
    await clock.advance(600);
    assert.ok((await mounting).has('v'));
    assert.deepEqual(events, [
      'Warning FailedMount MountVolume.SetUp failed for volume "v" : configmap "conf" not found',
    ]);
    await manager.unmount('u1');
  });

  test('gives up after two minutes with the volumes that are left', async () => {
    const { rootDirectory, clock, events, manager, signal } = await setup();
    await manager.mount(podWith([{ name: 'ok', emptyDir: {} }]), signal);
    const pod = podWith([
      { name: 'ok', emptyDir: {} },
      { name: 'bad', hostPath: { path: `${rootDirectory}/none`, type: 'Directory' } },
    ]);
    const mounting = assert.rejects(manager.mount(pod, signal), {
      code: 'VolumesNotMounted',
      message:
        'Unable to attach or mount volumes: unmounted volumes=[bad], unattached volumes=[], ' +
        'failed to process volumes=[]: timed out waiting for the condition',
    });
    await eventually('an event', () => events.length > 0);
    await clock.advance(123_000);
    await mounting;
    await manager.unmount('u1');
  });

  test('says at once that a claim is missing or not bound', async () => {
    const claim: PersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'd', uid: 'c1' },
      spec: {},
      status: { phase: 'Pending' },
    };
    const { client, manager, signal } = await setup();
    const pod = podWith([{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]);
    const prefix =
      'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], ' +
      'failed to process volumes=[v]: error processing PVC d/data: ';
    const missing = 'persistentvolumeclaim "data" not found';
    await assert.rejects(manager.mount(pod, signal), {
      message: `${prefix}failed to fetch PVC from API server: ${missing}`,
    });
    client.add(claim);
    await assert.rejects(manager.mount(pod, signal), { message: `${prefix}PVC is not bound` });
  });

  test('mounts a claim bound to a local volume and gives it to the group', async () => {
    const directory = await mkdtemp('/mnt/local-');
    await writeFile(join(directory, 'file'), 'x', { mode: 0o600 });
    const { client, manager, signal } = await setup();
    const claim: PersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'd', uid: 'c1' },
      spec: { volumeName: 'pv' },
      status: { phase: 'Bound' },
    };
    const persistentVolume: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv' },
      spec: { claimRef: { uid: 'c1' }, local: { path: directory } },
    };
    client.add(claim, persistentVolume);
    const volume = { name: 'v', persistentVolumeClaim: { claimName: 'data', readOnly: true } };
    const mounted = await manager.mount(podWith([volume], { fsGroup: 4242 }), signal);
    assert.deepEqual(mounted.get('v'), {
      hostPath: directory,
      isReadOnly: true,
      plugin: 'kubernetes.io/local-volume',
    });
    const file = await stat(join(directory, 'file'));
    assert.deepEqual([file.gid, file.mode & 0o777], [4242, 0o660]);
    assert.equal((await stat(directory)).mode & 0o2070, 0o2070);
  });

  test('checks hostPath types in the words of upstream', async () => {
    const { events, rootDirectory, manager } = await setup();
    const file = join(rootDirectory, 'file');
    await writeFile(file, '');
    const types = {
      Directory: 'a directory',
      Socket: 'a socket file',
      BlockDevice: 'a block device',
    };
    for (const [type, words] of Object.entries(types)) {
      const stop = new AbortController();
      const seen = events.length;
      const mounting = assert.rejects(
        manager.mount(podWith([{ name: 'v', hostPath: { path: file, type } }]), stop.signal),
      );
      await eventually('another event', () => events.length > seen);
      stop.abort(new Error('enough'));
      await mounting;
      const text = `: hostPath type check failed: ${file} is not ${words}`;
      assert.ok(events.at(-1)?.endsWith(text), String(events.at(-1)));
    }
  });

  test('binds and makes sub paths and refuses links that leave the volume', async () => {
    const { manager, signal } = await setup();
    const mounted = await manager.mount(podWith([{ name: 'v', emptyDir: {} }]), signal);
    const volume = mounted.get('v') ?? assert.fail();
    const request = {
      podUid: 'u1',
      containerName: 'c',
      mountIndex: 0,
      volumeName: 'v',
      volume,
      isReadOnly: false,
    };
    await mkdir(join(volume.hostPath, 'real'));
    await chmod(join(volume.hostPath, 'real'), 0o700);
    await writeFile(join(volume.hostPath, 'real/file'), 'text');
    await symlink('real', join(volume.hostPath, 'inside'));
    await symlink('/etc', join(volume.hostPath, 'outside'));
    const file = await manager.prepareSubPath({ ...request, subPath: 'inside/file' });
    assert.match(file, /pods\/u1\/volume-subpaths\/v\/c\/0$/);
    assert.equal(await readFile(file, 'utf8'), 'text');
    const same = await manager.prepareSubPath({ ...request, subPath: 'inside/file' });
    assert.equal(same, file);
    const made = await manager.prepareSubPath({ ...request, mountIndex: 1, subPath: 'new/deep' });
    await writeFile(join(made, 'x'), '');
    const { mode } = await stat(join(volume.hostPath, 'new/deep'));
    assert.equal(mode & 0o777, 0o777);
    assert.deepEqual(await readdir(join(volume.hostPath, 'new/deep')), ['x']);
    for (const subPath of ['outside', 'outside/passwd', 'outside/new']) {
      await assert.rejects(
        manager.prepareSubPath({ ...request, mountIndex: 2, subPath }),
        /failed to (create subPath directory|prepare subPath) for volumeMount "v" of container "c"/,
      );
    }
    await manager.unmount('u1');
    assert.deepEqual(await manager.podsOnDisk(), []);
  });

  test('an immutable config map is read once for a pod', async () => {
    const fixed: ConfigMap = { ...configMap({ key: 'first' }), immutable: true };
    const { client, manager, signal } = await setup([fixed]);
    const pod = podWith([{ name: 'v', configMap: { name: 'conf' } }]);
    const mounted = await manager.mount(pod, signal);
    client.modify<ConfigMap>(resources.configMaps, 'd/conf', (one) => ({
      ...one,
      data: { key: 'second' },
    }));
    await manager.resync(pod, signal);
    const path = join(mounted.get('v')?.hostPath ?? '', 'key');
    assert.equal(await readFile(path, 'utf8'), 'first');
    await manager.unmount('u1');
    const again = await manager.mount(pod, signal);
    assert.equal(await readFile(join(again.get('v')?.hostPath ?? '', 'key'), 'utf8'), 'second');
    await manager.unmount('u1');
  });

  test('tells of each attempt to mount, with the plugin', async () => {
    const { rootDirectory, start, signal } = await setup([]);
    const attempts: string[] = [];
    const manager = start({
      onMount: ({ plugin, isOk }) => void attempts.push(`${plugin} ${isOk}`),
    });
    const path = join(rootDirectory, 'own');
    await mkdir(path);
    const pod = podWith([
      { name: 'disk', emptyDir: {} },
      { name: 'host', hostPath: { path, type: 'Directory' } },
    ]);
    await manager.mount(pod, signal);
    await manager.mount(pod, signal);
    assert.deepEqual(attempts.sort(), [
      'kubernetes.io/empty-dir true',
      'kubernetes.io/host-path true',
    ]);
    assert.equal(manager.mounted?.('u1').get('disk')?.plugin, 'kubernetes.io/empty-dir');
    const broken = podWith([{ name: 'host', hostPath: { path: `${path}/none`, type: 'File' } }]);
    const ended = new AbortController();
    const mounting = manager.mount({ ...broken, metadata: { name: 'b', uid: 'u2' } }, ended.signal);
    mounting.catch(() => undefined);
    await eventually('the failure', () => attempts.includes('kubernetes.io/host-path false'));
    ended.abort();
    await assert.rejects(mounting);
    await manager.unmount('u1');
  });

  test('knows which images its volumes show, also after a restart', async () => {
    const { rootDirectory, start } = await setup();
    const layer = join(rootDirectory, 'layer');
    await mkdir(layer);
    const removed: string[] = [];
    const imageSource: VolumeManagerOptions['imageSource'] = {
      images: { imageInfo: async () => ({ info: '{"chainID":"top"}' }) },
      snapshots: {
        view: async () => [{ type: 'bind', source: layer, options: [] }],
        remove: async (key) => void removed.push(key),
        close: () => undefined,
      },
    };
    const manager = start({ imageSource });
    assert.deepEqual(await manager.imagesInUse(), []);
    await manager.mountImage({ podUid: 'u1', volumeName: 'a', imageId: 'sha256:1' });
    await manager.mountImage({ podUid: 'u2', volumeName: 'b', imageId: 'sha256:2' });
    const next = start({ imageSource });
    assert.deepEqual((await next.imagesInUse()).sort(), ['sha256:1', 'sha256:2']);
    await next.unmount('u1');
    assert.deepEqual(removed, ['k3ts-image-volume-u1-a']);
    assert.deepEqual(await next.imagesInUse(), ['sha256:2']);
    await next.unmount('u2');
  });
}
