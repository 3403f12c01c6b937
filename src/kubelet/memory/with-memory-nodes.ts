import type { ContainerConfig } from '../cri/mod.ts';

/** The container with memory of these NUMA nodes only (`0,1`); empty leaves that to the kernel. */
export function withMemoryNodes(config: ContainerConfig, cpusetMems: string): ContainerConfig {
  if (cpusetMems === '' || config.linux === undefined) return config;
  const { linux } = config;
  return { ...config, linux: { ...linux, resources: { ...linux.resources, cpusetMems } } };
}
