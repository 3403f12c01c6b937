import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, K3tsError } from '#base/errors.ts';
import { isMountPoint } from '#host/mounts.ts';
import type { CsiDriver } from './csi-driver.ts';
import type { CsiPaths } from './csi-paths.ts';
import type { CsiRecord } from './csi-record.ts';
import { stagingOf, targetOf } from './mount-planned.ts';

/** Takes a volume out of a pod and removes its directory; done already is no error. */
export async function unpublish(options: {
  driver: CsiDriver;
  record: CsiRecord;
  podUid: string;
  paths: CsiPaths;
}): Promise<void> {
  const { driver, record, podUid, paths } = options;
  const { specVolID: specName, isBlock = false, volumeHandle } = record;
  const target = targetOf(paths, { specName, podUid, isBlock });
  await driver.unpublish(volumeHandle, target);
  if (isBlock) {
    await rm(target, { force: true });
    await removeEmpty(dirname(target));
  }
  await removeWithRecord(paths.podVolume(podUid, specName), 'mount');
}

/** Takes a staged volume off this node, and removes its directory. */
export async function unstage(options: {
  driver: CsiDriver;
  record: CsiRecord;
  paths: CsiPaths;
}): Promise<void> {
  const { driver, record, paths } = options;
  const { driverName, volumeHandle, specVolID: specName, isBlock = false } = record;
  const capabilities = await driver.capabilities();
  const plan = {
    driverName,
    handle: volumeHandle,
    specName,
    isBlock,
    volume: { metadata: { name: specName } },
  };
  const staging = stagingOf(paths, plan, capabilities);
  if (staging !== '') await driver.unstage(volumeHandle, staging);
  if (isBlock) await removeEmpty(staging);
  await removeWithRecord(paths.stagedVolume(driverName, volumeHandle), 'globalmount');
}

/** A directory of ours: a mount point, a record, nothing else. Nothing goes through a mount. */
async function removeWithRecord(directory: string, mountName: string): Promise<void> {
  const mountPath = join(directory, mountName);
  if (await isMountPoint(mountPath)) {
    throw new K3tsError('CsiStillMounted', `the driver left ${mountPath} mounted`);
  }
  await removeEmpty(mountPath);
  await rm(join(directory, 'vol_data.json'), { force: true });
  await removeEmpty(directory);
}

async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
