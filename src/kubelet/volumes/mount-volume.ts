import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { CsiVolumes } from '../csi/mod.ts';
import type { PersistentVolume, Pod, Volume } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';
import { specOf, uidOf } from '../pods/names.ts';
import type { MountedVolume } from '../volume-host.ts';
import { writeAtomically } from './atomic-writer.ts';
import { claimNameOf, findBoundVolume } from './claims.ts';
import type { BoundVolume } from './claims.ts';
import { fsGroupOf, hasContent, volumeContent } from './content.ts';
import { makeEmptyDir, makeTmpfs, memorySize } from './empty-dir.ts';
import { checkHostPath } from './host-path.ts';
import { applyFsGroup } from './ownership.ts';
import type { PodDirectories, VolumePlugin } from './pod-directories.ts';
import { pluginName } from './plugin-name.ts';
import { growClaimed } from './refresh-csi.ts';
import type { TokenSource } from './tokens.ts';
import { VolumeError } from './volume-error.ts';
import { makeDirectory } from '#host/files.ts';

export interface MountContext {
  readonly directories: PodDirectories;
  readonly client: Client;
  /** Reads config maps and secrets on behalf of a pod. */
  readonly objectsOf: (pod: Pod) => ObjectReader;
  readonly events: Pick<EventRecorder, 'event'>;
  readonly tokens: TokenSource;
  /** Node allocatable as in the Node's status. */
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly nodeMemoryBytes: number;
  /** Absent: volumes of CSI drivers are refused. */
  readonly csi?: CsiVolumes | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Sets one volume up, or finds that it is set up: may be called again at any time, also after a
 * restart. Throws VolumeError for what a user can mend.
 */
export async function mountVolume(
  context: MountContext,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<MountedVolume> {
  const mounted = await mountSource(context, pod, volume, signal);
  return { plugin: pluginName(volume), ...mounted };
}

async function mountSource(
  context: MountContext,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<MountedVolume> {
  if (hasContent(volume)) {
    await writeContent(context, pod, volume, signal);
    return { hostPath: contentDirectory(context, pod, volume), isReadOnly: true };
  }
  if (volume.hostPath !== undefined) {
    const { path, type } = volume.hostPath;
    await checkHostPath(path, type);
    return { hostPath: path, isHostPath: true };
  }
  if (volume.emptyDir !== undefined) {
    const directory = context.directories.volume(uidOf(pod), 'empty-dir', volume.name);
    await makeEmptyDir({
      directory,
      source: volume.emptyDir,
      pod,
      nodeMemoryBytes: context.nodeMemoryBytes,
    });
    await giveToGroup(directory, pod);
    return { hostPath: directory };
  }
  const claimName = claimNameOf(pod, volume);
  if (claimName !== undefined) {
    const { client } = context;
    const found = await findBoundVolume({ client, pod, volume, claimName, signal });
    const plugin = pluginName(found.persistentVolume.spec ?? {});
    return { ...(await mountBound(context, pod, found, signal)), plugin };
  }
  if (volume.csi !== undefined && context.csi !== undefined) {
    const { path, isReadOnly } = await context.csi.mountInline(volume, { ...context, pod, signal });
    return { hostPath: path, isReadOnly };
  }
  throw new VolumeError(`no volume plugin matched: ${kindOf(volume)} is not supported by k3ts`);
}

/** Failures carry the name of the volume, as users know it from their claims. */
async function mountBound(
  context: MountContext,
  pod: Pod,
  found: BoundVolume,
  signal: AbortSignal,
): Promise<MountedVolume> {
  const { csi } = context;
  const { persistentVolume, isReadOnly } = found;
  try {
    if (persistentVolume.spec?.csi !== undefined && csi !== undefined) {
      const request = { ...context, pod, signal };
      const mounted = await csi.mountPersistent(persistentVolume, isReadOnly, request);
      await growClaimed(context, pod, found, signal);
      return { hostPath: mounted.path, isReadOnly: mounted.isReadOnly };
    }
    return { ...(await mountPersistentVolume(persistentVolume, pod)), isReadOnly };
  } catch (error) {
    if (error instanceof VolumeError) {
      error.volumeName = persistentVolume.metadata.name;
      error.isBlock = persistentVolume.spec?.volumeMode === 'Block';
    }
    throw error;
  }
}

/** Writes the files of a configMap, secret, downwardAPI or projected volume where they differ. */
export async function writeContent(
  context: MountContext,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, random, tokens } = context;
  const objects = context.objectsOf(pod);
  const allocatable = context.allocatable();
  const payload = await volumeContent(volume, { pod, objects, tokens, allocatable, signal });
  const directory = contentDirectory(context, pod, volume);
  // Config maps may be read by anybody who may read the disk; the others never touch it.
  if (volume.configMap !== undefined) await makeDirectory(directory, 0o777);
  else await makeTmpfs(directory, memorySize(pod, undefined, context.nodeMemoryBytes));
  return await writeAtomically({ directory, payload, fsGroup: fsGroupOf(pod), clock, random });
}

function contentDirectory(context: MountContext, pod: Pod, volume: Volume): string {
  const plugin: VolumePlugin =
    volume.configMap !== undefined
      ? 'configmap'
      : volume.secret !== undefined
        ? 'secret'
        : volume.downwardAPI !== undefined
          ? 'downward-api'
          : 'projected';
  return context.directories.volume(uidOf(pod), plugin, volume.name);
}

async function giveToGroup(directory: string, pod: Pod): Promise<void> {
  const fsGroup = fsGroupOf(pod);
  if (fsGroup === undefined) return;
  const changePolicy = specOf(pod).securityContext?.fsGroupChangePolicy;
  await applyFsGroup(directory, { fsGroup, changePolicy });
}

/**
 * hostPath volumes belong to the machine and are never given away, local ones are the cluster's.
 */
async function mountPersistentVolume(
  persistentVolume: PersistentVolume,
  pod: Pod,
): Promise<MountedVolume> {
  const { hostPath, local, volumeMode } = persistentVolume.spec ?? {};
  if (hostPath !== undefined) {
    await checkHostPath(hostPath.path, hostPath.type);
    return { hostPath: hostPath.path, isHostPath: true };
  }
  if (local !== undefined) {
    const isBlock = volumeMode === 'Block';
    await checkLocal(local.path, isBlock);
    if (!isBlock) await giveToGroup(local.path, pod);
    return { hostPath: local.path };
  }
  const kind = kindOf(persistentVolume.spec ?? {});
  throw new VolumeError(`no volume plugin matched: ${kind} is not supported by k3ts`);
}

async function checkLocal(path: string, isBlock: boolean): Promise<void> {
  try {
    await checkHostPath(path, isBlock ? 'BlockDevice' : 'Directory');
  } catch (error) {
    throw new VolumeError(`path ${JSON.stringify(path)} does not exist`, { cause: error });
  }
}

/** The name of the source's field, for messages. */
function kindOf(volume: object): string {
  const notSources = new Set([
    'name',
    'accessModes',
    'capacity',
    'claimRef',
    'mountOptions',
    'nodeAffinity',
    'persistentVolumeReclaimPolicy',
    'storageClassName',
    'volumeAttributesClassName',
    'volumeMode',
  ]);
  return Object.keys(volume).find((key) => !notSources.has(key)) ?? 'a volume without a source';
}
