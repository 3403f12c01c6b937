import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CSIDriver, CSIDriverSpec, PersistentVolume, Pod } from '#schema/types.ts';
import { createMessageCodec } from '../cri/message-codec.ts';
import { accessModeOf } from './access-mode.ts';
import { csiTables } from './csi-messages.ts';
import type { NodeCapability } from './csi-messages.ts';
import { attachmentName, csiPaths, inlineHandle } from './csi-paths.ts';
import { writeRecord } from './csi-record.ts';
import type { CsiRecord } from './csi-record.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { changesOwnership } from './ownership-rule.ts';
import { planInline, planPersistent } from './volume-plan.ts';
import { loadUses } from './volume-uses.ts';

const driver = (spec: CSIDriverSpec = {}): CSIDriver => ({ metadata: { name: 'd' }, spec });
const volume = (accessModes: string[], more: object = {}): PersistentVolume => ({
  metadata: { name: 'pv' },
  spec: { accessModes, csi: { driver: 'd', volumeHandle: 'h' }, ...more },
});
const pod: Pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [] } };

test('access modes are told as the driver knows them', () => {
  const cases: [string, boolean, string][] = [
    ['ReadWriteOnce', false, 'SINGLE_NODE_WRITER'],
    ['ReadWriteOnce', true, 'SINGLE_NODE_MULTI_WRITER'],
    ['ReadWriteOncePod', false, 'SINGLE_NODE_WRITER'],
    ['ReadWriteOncePod', true, 'SINGLE_NODE_SINGLE_WRITER'],
    ['ReadOnlyMany', true, 'MULTI_NODE_READER_ONLY'],
    ['ReadWriteMany', true, 'MULTI_NODE_MULTI_WRITER'],
  ];
  for (const [mode, isKnown, expected] of cases) {
    const capabilities = new Set<NodeCapability>(isKnown ? ['SINGLE_NODE_MULTI_WRITER'] : []);
    assert.equal(accessModeOf(volume([mode]), capabilities), expected, mode);
  }
});

test('who owns the files is for the driver to say', () => {
  const once = volume(['ReadWriteOnce']);
  const many = volume(['ReadWriteMany']);
  const cases: [string | undefined, string, PersistentVolume | undefined, boolean][] = [
    ['File', '', many, true],
    ['None', 'ext4', once, false],
    [undefined, 'ext4', once, true],
    [undefined, '', once, false],
    [undefined, 'ext4', many, false],
    [undefined, 'ext4', undefined, true],
  ];
  for (const [fsGroupPolicy, fsType, of, expected] of cases) {
    const given = { driver: driver({ fsGroupPolicy }), fsType, volume: of };
    assert.equal(changesOwnership(given), expected, `${fsGroupPolicy} ${fsType}`);
  }
});

test('paths and names are those of upstream', () => {
  const paths = csiPaths('/k');
  // sha256 of `h`
  const hash = 'aaa9402664f1a41f40ebbc52c9993eb66aeb366602958fdfaa283b71e64db123';
  assert.equal(paths.staging('d', 'h'), `/k/plugins/kubernetes.io/csi/d/${hash}/globalmount`);
  assert.equal(paths.target('u', 'pv'), '/k/pods/u/volumes/kubernetes.io~csi/pv/mount');
  assert.match(attachmentName('h', 'd', 'n'), /^csi-[0-9a-f]{64}$/);
  assert.notEqual(attachmentName('h', 'd', 'n'), attachmentName('h', 'd', 'm'));
  assert.notEqual(inlineHandle('u', 'a'), inlineHandle('u', 'b'));
});

test('a plan knows what is attached, read-only and refused', () => {
  const request = { pod, isReadOnly: false, nodeName: 'n' };
  const plain = planPersistent({ ...request, volume: volume([]), driver: driver() });
  assert.equal(plain.attachmentName, attachmentName('h', 'd', 'n'));
  assert.equal(plain.isReadOnly, false);
  const free = driver({ attachRequired: false });
  const readOnly = volume([], { csi: { driver: 'd', volumeHandle: 'h', readOnly: true } });
  const other = planPersistent({ ...request, volume: readOnly, driver: free });
  assert.equal(other.attachmentName, undefined);
  assert.equal(other.isReadOnly, true);
  const own = { name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } };
  assert.throws(() => planInline(pod, own, driver()), {
    message:
      'kubernetes.io/csi: mounter.SetUpAt failed to check volume lifecycle mode: ' +
      'volume mode "Ephemeral" not supported by driver (only supports ["Persistent"])',
  });
  const inline = planInline(pod, own, driver({ volumeLifecycleModes: ['Ephemeral'] }));
  assert.deepEqual(inline.publishSecret, { name: 's', namespace: 'n' });
  assert.equal(inline.handle, inlineHandle('u', 'v'));
});

test('what an earlier kubelet left is known again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-csi-'));
  try {
    const paths = csiPaths(root);
    const record: CsiRecord = {
      driverName: 'd',
      volumeHandle: 'h',
      specVolID: 'pv',
      nodeName: 'n',
      volumeLifecycleMode: 'Persistent',
      attachmentID: 'a',
      isAttached: true,
    };
    const directories = [paths.podVolume('u', 'pv'), paths.stagedVolume('d', 'h')];
    for (const directory of directories) {
      await mkdir(directory, { recursive: true });
      await writeRecord(directory, record);
    }
    const uses = await loadUses(paths, join(root, 'pods'));
    let changes = 0;
    uses.onInUseChange(() => changes++);
    assert.deepEqual(uses.inUse(), ['kubernetes.io/csi/d^h']);
    assert.equal(uses.hasUsers(record), true);
    uses.remove(record, 'u');
    assert.equal(uses.hasUsers(record), false);
    // Staged still: the volume must not be taken from the node.
    assert.deepEqual(uses.inUse(), ['kubernetes.io/csi/d^h']);
    assert.equal(changes, 0);
    uses.removeStaged(record);
    assert.deepEqual(uses.inUse(), []);
    assert.equal(changes, 1);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('a lock keeps one key in order, and others apart', async () => {
  const lock = createKeyedLock();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lock('a', async () => {
    await gate.promise;
    seen.push('first');
    throw new Error('failed');
  });
  const second = lock('a', async () => {
    await Promise.resolve();
    seen.push('second');
  });
  await lock('b', async () => {
    await Promise.resolve();
    seen.push('other');
  });
  gate.resolve();
  await assert.rejects(first, { message: 'failed' });
  await second;
  assert.deepEqual(seen, ['other', 'first', 'second']);
});

test('messages have the numbers of csi.proto', () => {
  const codec = createMessageCodec(csiTables);
  const bytes = codec.encode('NodePublishVolumeRequest', {
    volumeId: 'v',
    targetPath: '/t',
    readonly: true,
    volumeCapability: { block: {}, accessMode: { mode: 'SINGLE_NODE_SINGLE_WRITER' } },
    volumeContext: { a: 'b' },
  });
  // 1: v, 4: /t, 5: {1: {}, 3: {1: 6}}, 6: true, 8: {a: b}
  assert.equal(bytes.toString('hex'), '0a017622022f742a060a001a020806300142060a0161120162');
  const back = codec.decode<{ volumeId: string; readonly: boolean }>(
    'NodePublishVolumeRequest',
    bytes,
  );
  assert.equal(back.volumeId, 'v');
  assert.equal(back.readonly, true);
});
