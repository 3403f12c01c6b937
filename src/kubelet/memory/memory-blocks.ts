import type { MachineMemory, MemoryBlock, MemoryState, NodeMemory } from './memory-checkpoint.ts';

/** State that may be changed. */
export interface MutableMemory {
  readonly machine: MachineMemory;
  /** By pod uid, then container name. */
  readonly entries: Map<string, Map<string, MemoryBlock[]>>;
}

export function nodeOf({ machine }: Pick<MutableMemory, 'machine'>, id: number): NodeMemory {
  return machine[String(id)] ?? { numberOfAssignments: 0, memoryMap: {}, cells: [id] };
}

/** Counts a block on its nodes; `bytes` of it are new, the first nodes give as much as they have. */
export function reserveBlock(
  machine: MachineMemory,
  { numaAffinity, type }: MemoryBlock,
  bytes: number,
): void {
  let missing = bytes;
  for (const id of numaAffinity) {
    const node = nodeOf({ machine }, id);
    node.numberOfAssignments += 1;
    node.cells = numaAffinity;
    const table = node.memoryMap[type];
    if (table === undefined) continue;
    const part = Math.min(missing, Math.max(table.free, 0));
    table.reserved += part;
    table.free -= part;
    missing -= part;
  }
}

/** The other way round. */
export function freeBlock(machine: MachineMemory, { numaAffinity, type, size }: MemoryBlock): void {
  let left = size;
  for (const id of numaAffinity) {
    const node = nodeOf({ machine }, id);
    node.numberOfAssignments -= 1;
    if (node.numberOfAssignments === 0) node.cells = [id];
    const table = node.memoryMap[type];
    if (table === undefined) continue;
    const part = Math.min(left, table.reserved);
    table.free += part;
    table.reserved -= part;
    left -= part;
  }
}

export function toState({ machine, entries }: MutableMemory): MemoryState {
  const pods = [...entries].map(([uid, containers]) => [uid, Object.fromEntries(containers)]);
  return {
    policyName: 'Static',
    machineState: machine,
    entries: Object.fromEntries(pods) as MemoryState['entries'],
  };
}

export function isSameNodes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
