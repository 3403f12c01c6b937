/**
 * The container runtime of an agent: finds containerd, writes its configuration in k3s' places,
 * starts or adopts it, and fills its image store (pause image, agent/images). It does not speak the
 * CRI beyond asking for readiness; that is the kubelet's. Start reading at containerd.ts.
 */
export { startContainerd, type Containerd, type ContainerdOptions } from './containerd.ts';
export { findCniDirectories, findRuntimeBinaries, type RuntimeBinaries } from './binaries.ts';
export { importImages, type ImageImportOptions } from './image-import.ts';
export { createImageStore, type ImageStore } from './ctr.ts';
export { probeRuntime, type RuntimeVersion } from './cri-probe.ts';
export { containerdPaths, type ContainerdPaths } from './write-config.ts';
export {
  packEntries,
  packImage,
  type ImageConfig,
  type ImageEntry,
  type ImageSpec,
} from './oci-image.ts';
export { defaultPauseImage, packPauseImage } from './pause-image.ts';
