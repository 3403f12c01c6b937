import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { callMount } from '#host/libc.ts';
import { unmount } from '#host/mounts.ts';

/** Why overlayfs cannot be used below `root`; undefined when it can. Found by mounting one. */
export async function overlayProblem(root: string): Promise<string | undefined> {
  await mkdir(root, { recursive: true });
  const directory = await mkdtemp(join(root, '.overlay-check-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  try {
    for (const path of [lower, upper, work, merged]) await mkdir(path);
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    callMount({ source: 'overlay', target: merged, type: 'overlay', data });
    unmount(merged);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The snapshotter to use: overlayfs falls back to native where it cannot be mounted. */
export async function chooseSnapshotter(options: {
  wanted: string;
  root: string;
  log: Logger;
}): Promise<string> {
  const { wanted, root, log } = options;
  if (wanted !== 'overlayfs') return wanted;
  const problem = await overlayProblem(root);
  if (problem === undefined) return wanted;
  log.warning('overlayfs cannot be used, taking the native snapshotter (slower, more disk)', {
    what: problem,
  });
  return 'native';
}
