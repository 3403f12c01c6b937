import type { ContainerConfig } from '../cri/mod.ts';

/** The container on the processors it may use; empty leaves that to the kernel. */
export function withCpus(config: ContainerConfig, cpusetCpus: string): ContainerConfig {
  if (cpusetCpus === '' || config.linux === undefined) return config;
  const { linux } = config;
  return { ...config, linux: { ...linux, resources: { ...linux.resources, cpusetCpus } } };
}
