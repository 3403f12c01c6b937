import {
  formatQuantity,
  parseQuantity,
  quantityOf,
  quantityOfMilli,
  quantityValue,
  subtractQuantity,
} from '#base/quantity.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { MachineInfo, MachineUsage } from '../machine-info.ts';
import { amountValue } from '../pods/resources.ts';

/** node.status.capacity */
export function nodeCapacity(
  machine: MachineInfo,
  usage: MachineUsage,
  config: Pick<KubeletConfig, 'maxPods' | 'podsPerCore'> &
    Partial<Pick<KubeletConfig, 'hasLocalStorage'>>,
): Record<string, string> {
  const { maxPods, podsPerCore } = config;
  const podCount = podsPerCore > 0 ? Math.min(podsPerCore * machine.cpuCount, maxPods) : maxPods;
  const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;
  const capacity: Record<string, string> = {
    cpu: String(machine.cpuCount),
    ...(config.hasLocalStorage === false
      ? {}
      : { 'ephemeral-storage': kibibytes(usage.nodeFs.capacityBytes) }),
    memory: kibibytes(machine.memoryBytes),
    pods: String(podCount),
  };
  for (const [sizeKib, bytes] of machine.hugePages ?? []) {
    const size = formatQuantity(quantityOf(sizeKib * 1024, 'BinarySI'));
    capacity[`hugepages-${size}`] = formatQuantity(quantityOf(bytes, 'BinarySI'));
  }
  return capacity;
}

/** A threshold like `5%` or `100Mi` of `capacity`, in whole units. */
export function thresholdValue(text: string, capacity: number): number {
  if (text.endsWith('%')) return Math.floor((capacity * Number(text.slice(0, -1))) / 100);
  return quantityValue(parseQuantity(text));
}

/** Capacity without what is kept for the system and for hard eviction. */
export function nodeAllocatable(
  capacity: Readonly<Record<string, string>>,
  config: Pick<KubeletConfig, 'kubeReserved' | 'systemReserved' | 'evictionHard'>,
): Record<string, string> {
  const { kubeReserved, systemReserved, evictionHard } = config;
  const allocatable: Record<string, string> = {};
  for (const [name, text] of Object.entries(capacity)) {
    const reserved = amountValue(kubeReserved, name) + amountValue(systemReserved, name);
    let kept = reserved;
    if (name === 'memory') {
      kept += thresholdValue(evictionHard['memory.available'] ?? '0', valueOf(text));
      kept += hugePageBytes(capacity);
    }
    if (name === 'ephemeral-storage') {
      kept += thresholdValue(evictionHard['nodefs.available'] ?? '0', valueOf(text));
    }
    allocatable[name] = kept === 0 ? text : without(name, text, kept);
  }
  return allocatable;
}

/** Memory and huge pages in bytes that pods do not get, by resource; for the memory manager. */
export function memoryReserved(
  config: Pick<KubeletConfig, 'kubeReserved' | 'systemReserved' | 'evictionHard'>,
  memoryBytes: number,
): Record<string, number> {
  const { kubeReserved, systemReserved, evictionHard } = config;
  const names = [...Object.keys(kubeReserved), ...Object.keys(systemReserved), 'memory'];
  const kept: Record<string, number> = {};
  for (const name of names) {
    if (name !== 'memory' && !name.startsWith('hugepages-')) continue;
    kept[name] = amountValue(kubeReserved, name) + amountValue(systemReserved, name);
  }
  const threshold = thresholdValue(evictionHard['memory.available'] ?? '0', memoryBytes);
  return { ...kept, memory: (kept['memory'] ?? 0) + threshold };
}

function valueOf(text: string): number {
  return quantityValue(parseQuantity(text));
}

function hugePageBytes(capacity: Readonly<Record<string, string>>): number {
  return Object.entries(capacity)
    .filter(([name]) => name.startsWith('hugepages-'))
    .reduce((sum, [, text]) => sum + valueOf(text), 0);
}

function without(name: string, text: string, kept: number): string {
  if (name === 'cpu') {
    return formatQuantity(subtractQuantity(parseQuantity(text), quantityOfMilli(kept)));
  }
  const left = Math.max(valueOf(text) - kept, 0);
  // Upstream shows storage without a unit once something is kept from it, memory in Ki.
  if (name === 'memory') return `${Math.floor(left / 1024)}Ki`;
  return String(left);
}
