import { amountValue } from '../pods/resources.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { MachineInfo } from '../machine-info.ts';

/**
 * What all pods together may use: capacity without what is reserved for the kubelet and the system.
 * Thresholds of eviction are not taken off, so that eviction acts before the kernel does.
 */
export function podsShare(
  { cpuCount, memoryBytes }: Pick<MachineInfo, 'cpuCount' | 'memoryBytes'>,
  { kubeReserved, systemReserved }: Pick<KubeletConfig, 'kubeReserved' | 'systemReserved'>,
  maxPid: number,
): { podsMilliCpu: number; podsMemoryBytes: number; podsPidsLimit: number } {
  const reserved = (resource: string): number =>
    amountValue(kubeReserved, resource) + amountValue(systemReserved, resource);
  return {
    podsMilliCpu: Math.max(cpuCount * 1000 - reserved('cpu'), 0),
    podsMemoryBytes: Math.max(memoryBytes - reserved('memory'), 0),
    podsPidsLimit: Math.max(maxPid - reserved('pid'), 0),
  };
}
