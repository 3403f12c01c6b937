import { readdir, rm } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { hasCode, K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import { makeDirectory } from '#host/files.ts';
import { ensureShared, listMounts, unmountTree } from '#host/mounts.ts';
import type { Pod, Volume } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';
import type { CsiVolumes } from '../csi/mod.ts';
import { containersOf, specOf, uidOf } from '../pods/names.ts';
import type { MountAttempt, MountedVolume, VolumeManager } from '../volume-host.ts';
import { ClaimError } from './claims.ts';
import { hasContent } from './content.ts';
import { createImageVolumes } from './image-volumes.ts';
import type { ImageSource, ImageVolumes } from './image-volumes.ts';
import { createImmutableObjects } from './immutable-objects.ts';
import { mountVolume, writeContent, type MountContext } from './mount-volume.ts';
import { pluginName } from './plugin-name.ts';
import { podDirectories } from './pod-directories.ts';
import type { PodDirectories } from './pod-directories.ts';
import { bindSubPath } from './sub-path.ts';
import { refreshCsi } from './refresh-csi.ts';
import { createTokenSource } from './tokens.ts';
import { failureEvent } from './volume-error.ts';

export interface VolumeManagerOptions {
  /** `/var/lib/kubelet`. */
  rootDirectory: string;
  client: Client;
  /** Reads config maps and secrets; a cache is welcome. */
  objects: ObjectReader;
  events: Pick<EventRecorder, 'event'>;
  /** Node allocatable as in the Node's status. */
  allocatable: () => Readonly<Record<string, string>>;
  /** Called when inUse answers something else. */
  inUseChanged?: (() => void) | undefined;
  /** Hears of each attempt to mount a volume whose plugin is known. */
  onMount?: ((attempt: MountAttempt) => void) | undefined;
  nodeMemoryBytes: number;
  /** Absent: volumes of CSI drivers are refused. */
  csi?: CsiVolumes | undefined;
  /** Absent: volumes from images are refused. */
  imageSource?: ImageSource | undefined;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** Upstream's wait for all volumes of a pod, and the back-off of one volume. */
const mountTimeoutMs = 123_000;
const firstRetryMs = 500;
const maxRetryMs = 122_000;

/**
 * Makes the kubelet's directory a shared mount, so that mounts below it spread to containers. To be
 * awaited before the first volume is mounted.
 */
export async function prepareVolumeRoot(rootDirectory: string): Promise<void> {
  await makeDirectory(podDirectories(rootDirectory).pods, 0o750);
  await ensureShared(rootDirectory);
}

/** Manages the volumes in a directory that prepareVolumeRoot made ready. */
export function createVolumeManager(options: VolumeManagerOptions): VolumeManager {
  const { rootDirectory, client, clock, log, events } = options;
  const directories = podDirectories(rootDirectory);
  if (options.inUseChanged !== undefined) options.csi?.onInUseChange(options.inUseChanged);
  const tokens = createTokenSource({ client, clock, log });
  const immutable = createImmutableObjects(options.objects);
  const imageVolumes = createImageVolumes({ directories, source: options.imageSource });
  const context: MountContext = {
    ...options,
    directories,
    tokens,
    objectsOf: (pod) => immutable.readerOf(uidOf(pod)),
  };
  /** What is mounted, by pod uid and volume name. */
  const mounted = new Map<string, Map<string, MountedVolume>>();

  const report = (pod: Pod, volume: Volume, error: unknown): void => {
    const { reason, message } = failureEvent(volume, error);
    events.event(pod, 'Warning', reason, message);
    log.debug(message, { pod: pod.metadata.name });
  };

  /** Tries until it works or the signal is aborted; claims that cannot be used fail at once. */
  const mountWithRetries = async (
    pod: Pod,
    volume: Volume,
    signal: AbortSignal,
  ): Promise<MountedVolume> => {
    let delayMs = firstRetryMs;
    for (;;) {
      signal.throwIfAborted();
      const startMs = clock.monotonicMs();
      const note = (plugin: string | undefined, isOk: boolean): void => {
        if (plugin === undefined) return;
        options.onMount?.({ plugin, isOk, tookMs: clock.monotonicMs() - startMs });
      };
      try {
        const made = await mountVolume(context, pod, volume, signal);
        note(made.plugin, true);
        return made;
      } catch (error) {
        if (signal.aborted || error instanceof ClaimError) throw error;
        note(pluginName(volume), false);
        report(pod, volume, error);
        await clock.sleep(delayMs, signal);
        delayMs = Math.min(delayMs * 2, maxRetryMs);
      }
    }
  };

  const mountMissing = async (
    pod: Pod,
    missing: readonly Volume[],
    ofPod: Map<string, MountedVolume>,
    signal: AbortSignal,
  ): Promise<void> => {
    const late = new AbortController();
    const timer = clock.after(mountTimeoutMs, () =>
      late.abort(new K3tsError('Timeout', 'timed out waiting for the condition')),
    );
    const either = AbortSignal.any([signal, late.signal]);
    try {
      const results = await Promise.allSettled(
        missing.map(async (volume) => {
          try {
            ofPod.set(volume.name, await mountWithRetries(pod, volume, either));
          } catch (error) {
            // The pod cannot start without its claim, so the others are not waited for.
            if (error instanceof ClaimError) late.abort(error);
            throw error;
          }
        }),
      );
      signal.throwIfAborted();
      if (results.every(({ status }) => status === 'fulfilled')) return;
      throw notMounted(missing, results, ofPod, late.signal.reason);
    } finally {
      timer.cancel();
    }
  };

  return {
    async mount(pod, signal) {
      const uid = uidOf(pod);
      const ofPod = mounted.get(uid) ?? new Map<string, MountedVolume>();
      mounted.set(uid, ofPod);
      const missing = usedVolumes(pod).filter(({ name }) => !ofPod.has(name));
      if (missing.length > 0) await mountMissing(pod, missing, ofPod, signal);
      return new Map(ofPod);
    },
    async resync(pod, signal) {
      const ofPod = mounted.get(uidOf(pod));
      for (const volume of usedVolumes(pod)) {
        if (ofPod?.has(volume.name) !== true) continue;
        signal.throwIfAborted();
        try {
          if (hasContent(volume)) await writeContent(context, pod, volume, signal);
          else await refreshCsi(context, pod, volume, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          report(pod, volume, error);
        }
      }
    },
    async unmount(podUid) {
      tokens.forget(podUid);
      immutable.forget(podUid);
      mounted.delete(podUid);
      await options.csi?.unmountPod(podUid);
      await removePod(podUid, directories, imageVolumes);
    },
    mounted: (podUid) => mounted.get(podUid) ?? new Map(),
    mountImage: (request) => imageVolumes.mount(request),
    mountedImage: (podUid, volumeName) => imageVolumes.mounted(podUid, volumeName),
    imagesInUse: () => imageVolumes.inUse(),
    prepareSubPath: (request) => bindSubPath(request, directories),
    podsOnDisk: async () => await readdir(directories.pods),
    inUse: () => options.csi?.inUse() ?? [],
  };
}

/**
 * Volumes that a container mounts, uses as a device or takes variables from. Those from images are
 * mounted by mountImage, when they were pulled.
 */
export function usedVolumes(pod: Pod): Volume[] {
  const used = new Set<string>();
  for (const { container } of containersOf(pod)) {
    for (const { name } of container.volumeMounts ?? []) used.add(name);
    for (const { name } of container.volumeDevices ?? []) used.add(name);
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.fileKeyRef !== undefined) used.add(valueFrom.fileKeyRef.volumeName);
    }
  }
  return (specOf(pod).volumes ?? []).filter(
    ({ name, image }) => used.has(name) && image === undefined,
  );
}

function notMounted(
  wanted: readonly Volume[],
  results: readonly PromiseSettledResult<void>[],
  ofPod: ReadonlyMap<string, MountedVolume>,
  reason: unknown,
): K3tsError {
  const unmounted = wanted.filter(({ name }) => !ofPod.has(name)).map(({ name }) => name);
  const unprocessed = wanted
    .filter((_volume, index) => {
      const result = results[index];
      return result?.status === 'rejected' && result.reason instanceof ClaimError;
    })
    .map(({ name }) => name);
  return new K3tsError(
    'VolumesNotMounted',
    `Unable to attach or mount volumes: unmounted volumes=[${unmounted.join(' ')}], ` +
      `unattached volumes=[], failed to process volumes=[${unprocessed.join(' ')}]: ` +
      messageOf(reason),
    { cause: reason },
  );
}

/** Unmounts and removes a pod's directory; never deletes through a mount that is still there. */
async function removePod(
  podUid: string,
  directories: PodDirectories,
  imageVolumes: ImageVolumes,
): Promise<void> {
  const directory = directories.pod(podUid);
  await unmountTree(directory);
  const left = (await listMounts()).filter(
    ({ path }) => path === directory || path.startsWith(`${directory}/`),
  );
  if (left.length > 0) {
    throw new K3tsError('VolumesBusy', `still mounted: ${left.map(({ path }) => path).join(', ')}`);
  }
  await imageVolumes.release(podUid);
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    // A container's last process may still write; the next call removes the rest.
    if (!hasCode(error, 'ENOTEMPTY')) throw error;
    await rm(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  }
}
