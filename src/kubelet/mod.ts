/**
 * The kubelet: runs the pods of one node through the CRI and tells the API server how they are. It
 * is entered with ready-made clients and facts, reads no flags and serves no HTTP (server/ does).
 * Start reading at kubelet.ts, then pods/pod-registry.ts, pods/pod-worker.ts and pods/pod-sync.ts.
 */
export { createKubelet, machineAllocatable } from './kubelet.ts';
export { defaultKubeletConfig } from './kubelet-config.ts';
export type { HostPaths, KubeletConfig } from './kubelet-config.ts';
export type { ContainerLookup, Kubelet, KubeletOptions, VolumeParts } from './kubelet-options.ts';
export { hugePageSizes } from './machine-info.ts';
export { memoryReserved } from './node/node-resources.ts';
export type { FilesystemState, MachineInfo, MachineUsage } from './machine-info.ts';
export type { HostFiles, PodCgroups, VolumeManager } from './volume-host.ts';
