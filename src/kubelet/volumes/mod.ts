/**
 * The volumes of pods on this machine: makes, fills, updates and removes them in upstream's places.
 * It starts no containers; those get paths from here. Start reading at pod-volumes.ts, then
 * mount-volume.ts.
 */
export {
  createVolumeManager,
  prepareVolumeRoot,
  type VolumeManagerOptions,
} from './pod-volumes.ts';
export { createLocalDirectories, type LocalDirectories } from './local-directories.ts';
export type { ImageSource } from './image-volumes.ts';
export { podDirectories, type PodDirectories } from './pod-directories.ts';
