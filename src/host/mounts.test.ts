import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountOf, parseMountInfo } from './mounts.ts';

const sample = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:4 master:2 - tmpfs tmpfs ro,mode=755
90 27 254:0 /srv/with\\040blank /mnt/a\\040b ro,relatime - ext4 /dev/vda rw
91 27 0:90 / /mnt/a\\040b rw - tmpfs tmpfs rw,size=64k
half a line
`;

test('parses mountinfo with optional fields and escapes', () => {
  const mounts = parseMountInfo(sample);
  assert.equal(mounts.length, 5);
  assert.deepEqual(mounts[2]?.propagation, ['shared:4', 'master:2']);
  assert.equal(mounts[3]?.path, '/mnt/a b');
  assert.equal(mounts[3]?.root, '/srv/with blank');
  assert.deepEqual(mounts[4]?.superOptions, ['rw', 'size=64k']);
});

test('finds the mount a path lies on, the topmost of several', () => {
  const mounts = parseMountInfo(sample);
  assert.equal(mountOf(mounts, '/mnt/a b/file')?.type, 'tmpfs');
  assert.equal(mountOf(mounts, '/mnt/a bc')?.path, '/');
  assert.equal(mountOf(mounts, '/sys/fs/cgroup')?.type, 'tmpfs');
});
