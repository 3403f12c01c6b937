/**
 * What the kubelet needs of its machine, over host/: pod cgroups, files of pods, facts for the Node
 * object. Volumes are in volumes/. Start reading at pod-cgroups.ts.
 */
export { createPodCgroups, type PodCgroupsOptions } from './pod-cgroups.ts';
export { enforceReserved, enforcesPods } from './node-allocatable.ts';
export { machineProblem } from './machine-problem.ts';
export { podsShare } from './pods-share.ts';
export { createHostFiles, type HostFilesOptions } from './host-files.ts';
export { readMachineInfo, readMachineUsage, type MachineUsageOptions } from './machine-info.ts';
