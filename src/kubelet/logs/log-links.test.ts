import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { linkContainerLog, removePodLogs, removeUnknownLogs } from './log-links.ts';

const podOf = (uid: string) => ({ metadata: { name: 'own-0', namespace: 'soak', uid } });

/** A directory with the log of one container for each of these pods, which have the same name. */
async function writeLogs(context: TestContext, uids: readonly string[]) {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-logs-'));
  context.after(() => rm(root, { recursive: true }));
  const paths = { podLogs: join(root, 'pods'), containerLogs: join(root, 'containers') };
  for (const uid of uids) {
    const directory = join(paths.podLogs, `soak_own-0_${uid}`, 'main');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, '0.log'), 'x\n');
    await linkContainerLog({ pod: podOf(uid), name: 'main', id: `id-${uid}`, attempt: 0, paths });
  }
  const left = async () => [await readdir(paths.podLogs), await readdir(paths.containerLogs)];
  return { paths, left };
}

test('the logs of a pod go, those of the next one of its name stay', async (context) => {
  const { paths, left } = await writeLogs(context, ['a', 'b']);
  await removePodLogs(podOf('a'), paths);
  assert.deepEqual(await left(), [['soak_own-0_b'], ['own-0_soak_main-id-b.log']]);
});

test('logs of pods that ended while no kubelet ran go', async (context) => {
  const { paths, left } = await writeLogs(context, ['a', 'b', 'c']);
  const removed = await removeUnknownLogs(paths, (uid) => uid === 'b');
  assert.deepEqual(removed.sort(), ['soak_own-0_a', 'soak_own-0_c']);
  assert.deepEqual(await left(), [['soak_own-0_b'], ['own-0_soak_main-id-b.log']]);
});

test('links go whose logs went before the kubelet was killed, those of others stay', async (context) => {
  const { paths, left } = await writeLogs(context, ['a', 'b']);
  await rm(join(paths.podLogs, 'soak_own-0_a'), { recursive: true });
  await symlink('/var/log/elsewhere/1.log', join(paths.containerLogs, 'other.log'));
  assert.deepEqual(await removeUnknownLogs(paths, (uid) => uid === 'b'), []);
  assert.deepEqual((await left())[1]?.sort(), ['other.log', 'own-0_soak_main-id-b.log']);
});

test('no logs at all is nothing to remove', async (context) => {
  const { paths } = await writeLogs(context, []);
  assert.deepEqual(await removeUnknownLogs(paths, () => false), []);
});
