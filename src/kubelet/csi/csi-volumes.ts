import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { PersistentVolume, Pod, Volume } from '#schema/types.ts';
import { podDirectories } from '../volumes/pod-directories.ts';
import type { TokenSource } from '../volumes/tokens.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import type { VolumeOperation } from '../volumes/volume-error.ts';
import { waitForAttachment } from './attachment.ts';
import type { CsiDriver } from './csi-driver.ts';
import { csiPaths } from './csi-paths.ts';
import type { CsiPlugins } from './csi-plugins.ts';
import { readRecords } from './csi-record.ts';
import type { CsiRecord } from './csi-record.ts';
import { readDriverObject } from './driver-object.ts';
import { expandOnNode } from './expand-on-node.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { mountPlanned } from './mount-planned.ts';
import { unpublish, unstage } from './take-down.ts';
import { planInline, planPersistent, volumeKey } from './volume-plan.ts';
import type { VolumePlan } from './volume-plan.ts';
import { loadUses } from './volume-uses.ts';

/** A pod on whose behalf something is mounted. */
export interface ForPod {
  readonly pod: Pod;
  readonly tokens: TokenSource;
  readonly signal: AbortSignal;
}

/**
 * Volumes of CSI drivers in pods of this node. Calls for the same volume come one after the other,
 * whichever pods they are for.
 */
export interface CsiVolumes {
  /** Waits for the attachment, stages, publishes; answers the directory or device. */
  mountPersistent(
    volume: PersistentVolume,
    isReadOnly: boolean,
    request: ForPod,
  ): Promise<{ path: string; isReadOnly: boolean }>;
  mountInline(volume: Volume, request: ForPod): Promise<{ path: string; isReadOnly: boolean }>;
  /** Publishes again what a driver wants to refresh; nothing for the others. */
  republish(source: PersistentVolume | Volume, isReadOnly: boolean, request: ForPod): Promise<void>;
  /** Grows the file system to the volume's size; answers the size in bytes, as the driver says. */
  expand(volume: PersistentVolume, request: ForPod): Promise<number | undefined>;
  /** Unpublishes all volumes of a pod, and unstages those that nobody else uses. */
  unmountPod(podUid: string): Promise<void>;
  /** Unstages what was left behind by failures; never rejects. */
  sweep(): Promise<void>;
  inUse(): readonly string[];
  /** The listener is called after inUse has changed; there is one. */
  onInUseChange(listener: () => void): void;
}

export async function openCsiVolumes(options: {
  /** `/var/lib/kubelet`. */
  rootDirectory: string;
  nodeName: string;
  client: Client;
  plugins: CsiPlugins;
  clock: Clock;
  log: Logger;
}): Promise<CsiVolumes> {
  const { rootDirectory, nodeName, client, plugins, clock, log } = options;
  const paths = csiPaths(rootDirectory);
  const uses = await loadUses(paths, podDirectories(rootDirectory).pods);
  const lock = createKeyedLock();

  const find = (name: string, operation: VolumeOperation): CsiDriver => {
    try {
      return plugins.driver(name);
    } catch (error) {
      const inner = operation === 'MountDevice' ? 'attacher.MountDevice' : 'mounter.SetUpAt';
      const text = `kubernetes.io/csi: ${inner} failed to create newCsiDriverClient: ${messageOf(error)}`;
      throw new VolumeError(text, { operation, cause: error });
    }
  };
  const recordOf = (plan: VolumePlan): CsiRecord => ({
    driverName: plan.driverName,
    volumeHandle: plan.handle,
    specVolID: plan.specName,
    nodeName,
    volumeLifecycleMode: plan.volume === undefined ? 'Ephemeral' : 'Persistent',
    attachmentID: plan.attachmentName ?? '',
    isAttached: plan.attachmentName !== undefined,
    isBlock: plan.isBlock,
  });
  const mount = async (plan: VolumePlan, request: ForPod) => {
    const { signal } = request;
    const record = recordOf(plan);
    const key = volumeKey(plan.driverName, plan.handle);
    // From here on the attach/detach controller leaves it where it is.
    uses.add(record, plan.podUid);
    const publishContext =
      plan.attachmentName === undefined
        ? {}
        : await waitForAttachment({ client, clock, name: plan.attachmentName, signal });
    const operation = plan.volume === undefined ? 'SetUp' : 'MountDevice';
    const driver = find(plan.driverName, operation);
    const driverObject = await readDriverObject(client, plan.driverName, signal);
    const planned = { ...request, plan, record, driver, driverObject, publishContext };
    const path = await lock(key, () => mountPlanned({ ...planned, client, paths, uses }));
    return { path, isReadOnly: plan.isReadOnly };
  };
  const planVolume = async (volume: PersistentVolume, isReadOnly: boolean, request: ForPod) => {
    const name = volume.spec?.csi?.driver ?? '';
    const driver = await readDriverObject(client, name, request.signal);
    return planPersistent({ pod: request.pod, volume, isReadOnly, driver, nodeName });
  };
  const planOwn = async (volume: Volume, request: ForPod) => {
    const driver = await readDriverObject(client, volume.csi?.driver ?? '', request.signal);
    return planInline(request.pod, volume, driver);
  };
  const unstageUnused = async (record: CsiRecord): Promise<void> => {
    if (uses.hasUsers(record)) return;
    const isStaged = uses.staged().some((one) => one.volumeHandle === record.volumeHandle);
    if (!isStaged) return;
    await unstage({ driver: plugins.driver(record.driverName), record, paths });
    uses.removeStaged(record);
  };

  const sweep = async (): Promise<void> => {
    for (const record of uses.staged()) {
      if (uses.hasUsers(record)) continue;
      const { driverName, volumeHandle } = record;
      try {
        await lock(volumeKey(driverName, volumeHandle), () => unstageUnused(record));
      } catch (error) {
        log.warning('Cannot take a volume down', { volumeHandle, error: messageOf(error) });
      }
    }
  };

  return {
    mountPersistent: async (volume, isReadOnly, request) =>
      await mount(await planVolume(volume, isReadOnly, request), request),
    mountInline: async (volume, request) => await mount(await planOwn(volume, request), request),
    async republish(source, isReadOnly, request) {
      const isInline = 'name' in source;
      const name = isInline ? source.csi?.driver : source.spec?.csi?.driver;
      const { spec } = await readDriverObject(client, name ?? '', request.signal);
      if (spec.requiresRepublish !== true) return;
      const plan = isInline
        ? await planOwn(source, request)
        : await planVolume(source, isReadOnly, request);
      await mount(plan, request);
    },
    async expand(volume, request) {
      const plan = await planVolume(volume, false, request);
      const driver = find(plan.driverName, 'MountDevice');
      const key = volumeKey(plan.driverName, plan.handle);
      return await lock(key, () => expandOnNode({ ...request, client, driver, plan, paths }));
    },
    async unmountPod(podUid) {
      for (const record of (await readRecords(paths.podVolumes(podUid))).values()) {
        const { driverName, volumeHandle } = record;
        await lock(volumeKey(driverName, volumeHandle), async () => {
          await unpublish({ driver: plugins.driver(driverName), record, podUid, paths });
          uses.remove(record, podUid);
          await unstageUnused(record);
        });
      }
      uses.removePod(podUid);
      // What was staged for a mount that failed then is nobody's.
      await sweep();
    },
    sweep,
    inUse: () => uses.inUse(),
    onInUseChange: (listener) => uses.onInUseChange(listener),
  };
}
