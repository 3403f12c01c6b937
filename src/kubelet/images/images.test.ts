import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { createFakeCri } from '../cri/fake-cri.ts';
import { createImageGc } from './image-gc.ts';
import { defaultPullPolicy, problemOfName, repositoryOf, withDefaultTag } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';
import { createPullSlots } from './pull-slots.ts';

test('image names get a tag, a pull policy and a repository', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const table: [string, string | undefined, string, string][] = [
    ['busybox', 'busybox:latest', 'Always', 'docker.io/library/busybox'],
    ['busybox:1', 'busybox:1', 'IfNotPresent', 'docker.io/library/busybox'],
    ['a/b', 'a/b:latest', 'Always', 'docker.io/a/b'],
    ['reg:5000/a/b:latest', 'reg:5000/a/b:latest', 'Always', 'reg:5000/a/b'],
    [`reg.io/a@${digest}`, `reg.io/a@${digest}`, 'IfNotPresent', 'reg.io/a'],
    ['Upper/Case', undefined, 'Always', 'docker.io/Upper/Case'],
    ['a:b:c', undefined, 'Always', 'docker.io/library/a:b'],
  ];
  for (const [image, tagged, policy, repository] of table) {
    assert.equal(withDefaultTag(image), tagged, image);
    if (tagged !== undefined) assert.equal(defaultPullPolicy(image), policy, image);
    assert.equal(repositoryOf(image), repository, image);
  }
});

test('a name that is none says why in upstream words', () => {
  const upper = (name: string): string =>
    `invalid reference format: repository name (${name}) must be lowercase`;
  const id = 'ab'.repeat(32);
  const table: [string, string][] = [
    ['BAD:IMAGE:X', upper('library/BAD')],
    ['Not/An Image', upper('An Image')],
    ['docker.io/Web:1', upper('library/Web')],
    ['reg.io:5000/a/Web@sha256:0', upper('a/Web@sha256')],
    ['team/Web', upper('team/Web')],
    ['a:b:c', 'invalid reference format'],
    ['https://reg.io/a', 'invalid reference format'],
    [id, `invalid repository name (${id}), cannot specify 64-byte hexadecimal strings`],
  ];
  for (const [image, problem] of table) {
    assert.equal(withDefaultTag(image), undefined, image);
    assert.equal(problemOfName(image), problem);
  }
});

test('credentials are chosen by registry and path, the longest key first', () => {
  const auths = {
    'https://index.docker.io/v1/': { auth: Buffer.from('hub:pw').toString('base64') },
    '*.example.com': { username: 'any', password: 'pw' },
    'reg.example.com/team': { username: 'team', password: 'pw' },
  };
  const data = Buffer.from(JSON.stringify({ auths })).toString('base64');
  const secrets = [
    { metadata: { name: 's' }, data: { '.dockerconfigjson': data } },
    { metadata: { name: 'broken' }, data: { '.dockerconfigjson': 'bm8=' } },
  ];
  const users = (image: string) => credentialsFor(image, secrets).map(({ auth }) => auth.username);
  assert.deepEqual(users('busybox'), ['hub']);
  assert.deepEqual(users('reg.example.com/team/app:1'), ['team', 'any']);
  assert.deepEqual(users('reg.example.com/other'), ['any']);
  assert.deepEqual(users('example.com/x'), []);
});

test('unused images go oldest first until the disk is below the low mark', async () => {
  const clock = new FakeClock();
  const cri = createFakeCri({ clock });
  for (const name of ['used', 'old', 'young', 'pinned'])
    cri.addImage(name, { pinned: name === 'pinned' });
  const used = new Set(['used', 'young']);
  const gc = createImageGc({
    images: cri.images,
    clock,
    log: silentLogger,
    highPercent: 85,
    lowPercent: 80,
    minimumAgeMs: 120_000,
    inUse: () => used,
  });
  const fs = { capacityBytes: 1000, inodes: 1, inodesFree: 1 };
  await gc.collect({ ...fs, availableBytes: 500 });
  await clock.advance(180_000);
  used.delete('young');
  await gc.collect({ ...fs, availableBytes: 120 });
  assert.deepEqual(cri.calls, ['RemoveImage sha256:old']);
  await assert.rejects(gc.collect({ ...fs, availableBytes: 0 }), {
    message:
      'Failed to garbage collect required amount of images. Attempted to free 200 bytes, but only found 100 bytes eligible to free.',
  });
});

test('only so many pulls run at the same time, the others in their order', async () => {
  const slots = createPullSlots(2);
  const log: string[] = [];
  const gates = new Map(['a', 'b', 'c', 'd'].map((name) => [name, Promise.withResolvers<void>()]));
  const done = [...gates].map(([name, gate]) =>
    slots.run(async () => {
      log.push(name);
      await gate.promise;
      if (name === 'a') throw new Error('broken');
    }),
  );
  const settled = Promise.allSettled(done);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  assert.deepEqual(log, ['a', 'b']);
  gates.get('a')?.resolve();
  await turn();
  assert.deepEqual(log, ['a', 'b', 'c']);
  for (const gate of gates.values()) gate.resolve();
  const results = await settled;
  assert.deepEqual(log, ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('images that nobody used for the maximum age go, however empty the disk is', async () => {
  const clock = new FakeClock();
  const cri = createFakeCri({ clock });
  cri.addImage('old');
  cri.addImage('used');
  const gc = createImageGc({
    images: cri.images,
    clock,
    log: silentLogger,
    highPercent: 85,
    lowPercent: 80,
    minimumAgeMs: 120_000,
    maximumAgeMs: 3_600_000,
    inUse: () => new Set(['used']),
  });
  const roomy = { capacityBytes: 1000, availableBytes: 900, inodes: 1, inodesFree: 1 };
  await gc.collect(roomy);
  await clock.advance(3_000_000);
  await gc.collect(roomy);
  assert.deepEqual(cri.calls, []);
  await clock.advance(700_000);
  await gc.collect(roomy);
  assert.deepEqual(cri.calls, ['RemoveImage sha256:old']);
});
