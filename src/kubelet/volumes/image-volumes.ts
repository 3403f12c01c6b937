import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import { makeDirectory, namesIn, readOptional } from '#host/files.ts';
import { bindMount, isMountPoint } from '#host/mounts.ts';
import { mountLayers } from '#host/overlay-mounts.ts';
import type { ImageService } from '../cri/mod.ts';
import type { ImageSnapshots, SnapshotMount } from '../images/image-snapshots.ts';
import type { ImageVolumeRequest, MountedVolume } from '../volume-host.ts';
import type { PodDirectories } from './pod-directories.ts';

/** What image volumes are made with. */
export interface ImageSource {
  readonly images: Pick<ImageService, 'imageInfo'>;
  readonly snapshots: ImageSnapshots;
}

/** Volumes that show what is in an image; each has a view of its own at the runtime. */
export interface ImageVolumes {
  mount(request: ImageVolumeRequest): Promise<MountedVolume>;
  mounted(podUid: string, volumeName: string): Promise<MountedVolume | undefined>;
  /** Ids of the images of all volumes; those of pods whose directory is gone are not in use. */
  inUse(): Promise<string[]>;
  /** Removes the views of a pod whose volumes are unmounted; to be called before they are deleted. */
  release(podUid: string): Promise<void>;
}

export function createImageVolumes(options: {
  directories: PodDirectories;
  source: ImageSource | undefined;
}): ImageVolumes {
  const { directories, source } = options;
  const directoryOf = (podUid: string, volumeName: string): string =>
    directories.volume(podUid, 'image', volumeName);
  const keyOf = (podUid: string, volumeName: string): string =>
    `k3ts-image-volume-${podUid}-${volumeName}`;
  const mounted = async (
    podUid: string,
    volumeName: string,
  ): Promise<MountedVolume | undefined> => {
    const hostPath = directoryOf(podUid, volumeName);
    return (await isMountPoint(hostPath)) ? { hostPath, isReadOnly: true } : undefined;
  };

  return {
    mounted,
    async mount({ podUid, volumeName, imageId }) {
      const present = await mounted(podUid, volumeName);
      if (present !== undefined) return present;
      if (source === undefined) {
        throw new K3tsError('ImageVolume', 'the container runtime does not support image volumes');
      }
      const hostPath = directoryOf(podUid, volumeName);
      await makeDirectory(hostPath, 0o755);
      // Noted first: an image must not be collected while it is mounted.
      const notes = directories.notes(podUid, 'image');
      await makeDirectory(notes, 0o750);
      await writeFile(join(notes, volumeName), imageId, { mode: 0o600 });
      const chainId = await chainIdOf(source, imageId);
      await mountView(await source.snapshots.view(keyOf(podUid, volumeName), chainId), hostPath);
      return { hostPath, isReadOnly: true };
    },
    async inUse() {
      const ids = new Set<string>();
      for (const podUid of await namesIn(directories.pods)) {
        const notes = directories.notes(podUid, 'image');
        for (const name of await namesIn(notes)) {
          const imageId = await readOptional(join(notes, name));
          if (imageId !== undefined) ids.add(imageId);
        }
      }
      return [...ids];
    },
    async release(podUid) {
      if (source === undefined) return;
      for (const name of await namesIn(directories.plugin(podUid, 'image'))) {
        await source.snapshots.remove(keyOf(podUid, name));
      }
    },
  };
}

/** The uppermost layer, as containerd's CRI plugin tells it. */
async function chainIdOf({ images }: ImageSource, imageId: string): Promise<string> {
  const { info = '{}' } = await images.imageInfo({ image: imageId });
  const { chainID } = JSON.parse(info) as { chainID?: string };
  if (chainID !== undefined && chainID !== '') return chainID;
  throw new K3tsError(
    'ImageVolume',
    `the container runtime does not tell the layers of ${imageId}`,
  );
}

/** A view is one layer that is bound, or several that are laid over each other. */
async function mountView(mounts: readonly SnapshotMount[], target: string): Promise<void> {
  const [mount] = mounts;
  if (mount?.type === 'bind' && mounts.length === 1) {
    bindMount(mount.source, target, { isReadOnly: true });
    return;
  }
  const lower = mount?.options.find((option) => option.startsWith('lowerdir='));
  if (mount?.type !== 'overlay' || lower === undefined || mounts.length !== 1) {
    const types = mounts.map(({ type }) => type).join(', ');
    throw new K3tsError('ImageVolume', `cannot mount the image: unknown kind of layers (${types})`);
  }
  await mountLayers(lower.slice('lowerdir='.length).split(':'), target);
}
