import { readReservedMemory } from '#kubelet/memory/mod.ts';
import { memoryReserved } from '#kubelet/mod.ts';
import type { KubeletConfig, MachineInfo } from '#kubelet/mod.ts';
import { NumaNodes, oneNumaNode, readNumaNodes } from '#kubelet/topology/mod.ts';
import type { NumaNode } from '#kubelet/topology/mod.ts';

/** The NUMA nodes of this machine; one for all of it where the kernel tells none. */
export async function numaOf(
  machine: Pick<MachineInfo, 'memoryBytes' | 'hugePages'>,
): Promise<{ nodes: NumaNodes; numaNodes: readonly NumaNode[] }> {
  const found = await readNumaNodes();
  const numaNodes =
    found.length > 0 ? found : [oneNumaNode(machine.memoryBytes, machine.hugePages)];
  const distances = new Map(numaNodes.map(({ id, distances: own }) => [id, own]));
  return { nodes: new NumaNodes([...distances.keys()], distances), numaNodes };
}

/** What the memory manager keeps from pods; nothing under policy None. Throws upstream's texts. */
export function reservedOf(options: {
  limits: KubeletConfig;
  evictionHard: Readonly<Record<string, string>>;
  machine: Pick<MachineInfo, 'memoryBytes'>;
  numa: readonly NumaNode[];
}): ReturnType<typeof readReservedMemory> {
  const { limits, evictionHard, machine, numa } = options;
  if (limits.memoryManagerPolicy === 'None') return new Map();
  const kept = memoryReserved({ ...limits, evictionHard }, machine.memoryBytes);
  return readReservedMemory(limits.reservedMemory, numa, kept);
}
