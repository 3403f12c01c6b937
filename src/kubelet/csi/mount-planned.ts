import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '#base/errors.ts';
import type { Client } from '#client/mod.ts';
import { isMountPoint } from '#host/mounts.ts';
import type { CSIDriver, Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import { applyFsGroup } from '../volumes/ownership.ts';
import type { TokenSource } from '../volumes/tokens.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import type { VolumeOperation } from '../volumes/volume-error.ts';
import { accessModeOf } from './access-mode.ts';
import type { CsiDriver } from './csi-driver.ts';
import type { NodeCapability, VolumeCapability } from './csi-messages.ts';
import type { CsiPaths } from './csi-paths.ts';
import { writeRecord } from './csi-record.ts';
import type { CsiRecord } from './csi-record.ts';
import { readSecret } from './driver-object.ts';
import { changesOwnership } from './ownership-rule.ts';
import { podInfo, podTokens } from './pod-info.ts';
import { fsGroupOf } from './volume-plan.ts';
import type { VolumePlan } from './volume-plan.ts';
import type { VolumeUses } from './volume-uses.ts';

export interface PlannedMount {
  readonly plan: VolumePlan;
  readonly record: CsiRecord;
  readonly pod: Pod;
  readonly tokens: TokenSource;
  readonly client: Client;
  readonly driver: CsiDriver;
  readonly driverObject: CSIDriver;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly paths: CsiPaths;
  readonly uses: VolumeUses;
  readonly signal: AbortSignal;
}

/**
 * Stages and publishes a volume where that has not happened, and answers where it is. The driver's
 * calls may be repeated, and a record is written before each, so that a crash leaves nothing that
 * cannot be taken down.
 */
export async function mountPlanned(mount: PlannedMount): Promise<string> {
  const { plan, record, paths, uses, driver } = mount;
  uses.add(record, plan.podUid);
  const capabilities = await driver.capabilities();
  const staging = await stage(mount, capabilities);
  const directory = paths.podVolume(plan.podUid, plan.specName);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  await writeRecord(directory, record);
  const target = targetOf(paths, plan);
  const isThere = !plan.isBlock && (await isMountPoint(target));
  if (isThere && mount.driverObject.spec.requiresRepublish !== true) return target;
  await publish(mount, capabilities, staging, target);
  await giveToGroup(mount, capabilities, target);
  return target;
}

export function targetOf(
  paths: CsiPaths,
  { isBlock, specName, podUid }: Pick<VolumePlan, 'isBlock' | 'specName' | 'podUid'>,
): string {
  return isBlock ? paths.publishDevice(specName, podUid) : paths.target(podUid, specName);
}

/** The directory a volume is staged in; empty for drivers that do not stage. */
export function stagingOf(
  paths: CsiPaths,
  plan: Pick<VolumePlan, 'isBlock' | 'specName' | 'driverName' | 'handle' | 'volume'>,
  capabilities: ReadonlySet<NodeCapability>,
): string {
  if (plan.volume === undefined || !capabilities.has('STAGE_UNSTAGE_VOLUME')) return '';
  return plan.isBlock
    ? paths.stagingDevice(plan.specName)
    : paths.staging(plan.driverName, plan.handle);
}

async function stage(
  mount: PlannedMount,
  capabilities: ReadonlySet<NodeCapability>,
): Promise<string> {
  const { plan, record, client, driver, publishContext, paths, uses, signal } = mount;
  const staging = stagingOf(paths, plan, capabilities);
  if (staging === '') return '';
  if (await isMountPoint(staging)) return staging;
  await mkdir(staging, { recursive: true, mode: 0o750 });
  const directory = paths.stagedVolume(plan.driverName, plan.handle);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  await writeRecord(directory, record);
  uses.addStaged(record);
  await inOperation('MountDevice', async () => {
    const secrets = await readSecret(client, plan.stageSecret, signal);
    await driver.stage(
      {
        volumeId: plan.handle,
        publishContext,
        stagingTargetPath: staging,
        volumeCapability: capabilityOf(mount, capabilities),
        secrets,
        volumeContext: plan.attributes,
      },
      signal,
    );
  });
  return staging;
}

async function publish(
  mount: PlannedMount,
  capabilities: ReadonlySet<NodeCapability>,
  stagingTargetPath: string,
  targetPath: string,
): Promise<void> {
  const { plan, pod, client, driver, driverObject, publishContext, tokens, signal } = mount;
  await mkdir(dirname(targetPath), { recursive: true, mode: 0o750 });
  await inOperation('SetUp', async () => {
    const ofPod = await podTokens(pod, driverObject, tokens, signal);
    const areSecret = driverObject.spec.serviceAccountTokenInSecrets === true;
    const secrets = await readSecret(client, plan.publishSecret, signal);
    await driver.publish(
      {
        volumeId: plan.handle,
        publishContext,
        stagingTargetPath,
        targetPath,
        volumeCapability: capabilityOf(mount, capabilities),
        readonly: plan.isReadOnly,
        secrets: { ...secrets, ...(areSecret ? ofPod : {}) },
        volumeContext: {
          ...plan.attributes,
          ...podInfo(pod, driverObject, plan.volume === undefined),
          ...(areSecret ? {} : ofPod),
        },
      },
      signal,
    );
  });
}

/** Drivers that mount with the group themselves are told it, for the others the files get it. */
async function giveToGroup(
  { plan, pod, driverObject }: PlannedMount,
  capabilities: ReadonlySet<NodeCapability>,
  target: string,
): Promise<void> {
  const fsGroup = fsGroupOf(pod);
  if (fsGroup === undefined || plan.isBlock || plan.isReadOnly) return;
  if (capabilities.has('VOLUME_MOUNT_GROUP')) return;
  const { fsType, volume } = plan;
  if (!changesOwnership({ driver: driverObject, fsType, volume })) return;
  const changePolicy = specOf(pod).securityContext?.fsGroupChangePolicy;
  await applyFsGroup(target, { fsGroup, changePolicy });
}

export function capabilityOf(
  { plan, pod }: Pick<PlannedMount, 'plan' | 'pod'>,
  capabilities: ReadonlySet<NodeCapability>,
): VolumeCapability {
  const { volume, isBlock, fsType, mountFlags } = plan;
  const mode = volume === undefined ? 'SINGLE_NODE_WRITER' : accessModeOf(volume, capabilities);
  const accessMode = { mode };
  if (isBlock) return { block: {}, accessMode };
  const fsGroup = capabilities.has('VOLUME_MOUNT_GROUP') ? fsGroupOf(pod) : undefined;
  const volumeMountGroup = fsGroup === undefined ? '' : String(fsGroup);
  return { mount: { fsType, mountFlags, volumeMountGroup }, accessMode };
}

async function inOperation(operation: VolumeOperation, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof VolumeError) throw error;
    throw new VolumeError(messageOf(error), { operation, cause: error });
  }
}
