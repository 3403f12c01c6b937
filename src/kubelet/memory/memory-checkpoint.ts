import { K3tsError } from '#base/errors.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { readOptional } from '#host/files.ts';
import { fnv1a } from '../checkpoint-hash.ts';

/** Amounts of one kind of memory on one NUMA node, in bytes. */
export interface MemoryTable {
  total: number;
  systemReserved: number;
  allocatable: number;
  /** Given to containers. */
  reserved: number;
  free: number;
}

export interface NodeMemory {
  numberOfAssignments: number;
  /** By resource: `memory`, `hugepages-2Mi`. */
  memoryMap: Record<string, MemoryTable>;
  /** The nodes that give together with this one; itself alone when no container spans nodes. */
  cells: readonly number[];
}

export interface MemoryBlock {
  readonly numaAffinity: readonly number[];
  readonly type: string;
  readonly size: number;
}

/** By NUMA node id. */
export type MachineMemory = Record<string, NodeMemory>;

export interface MemoryState {
  readonly policyName: string;
  readonly machineState: MachineMemory;
  /** By pod uid, then container name. */
  readonly entries: Readonly<Record<string, Readonly<Record<string, readonly MemoryBlock[]>>>>;
}

/** Writes `memory_manager_state` in upstream's form with its checksum: a kubelet can read it. */
export async function writeMemoryState(path: string, state: MemoryState): Promise<void> {
  const { policyName, machineState, entries } = state;
  const checkpoint = {
    policyName,
    machineState,
    ...(Object.keys(entries).length === 0 ? {} : { entries }),
    checksum: checksumOf(state),
  };
  await writeFileAtomic(path, JSON.stringify(checkpoint), 0o600);
}

/**
 * Reads the state; undefined when there is none. A file of another policy, or one that was changed,
 * throws with upstream's text.
 */
export async function readMemoryState(
  path: string,
  policyName: string,
): Promise<MemoryState | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  const drain = `please drain this node and delete the memory manager checkpoint file "${path}" before restarting Kubelet`;
  const refuse = (problem: string): never => {
    throw new K3tsError(
      'InvalidMemoryState',
      `could not restore state from checkpoint: ${problem}, ${drain}`,
    );
  };
  let checkpoint: Partial<MemoryState> & { checksum?: number };
  try {
    checkpoint = JSON.parse(text) as typeof checkpoint;
  } catch {
    return refuse('checkpoint is corrupted');
  }
  const { machineState = {}, entries = {}, checksum = 0, policyName: found = '' } = checkpoint;
  const state: MemoryState = { policyName: found, machineState, entries };
  if (checksum !== 0 && checksum !== checksumOf(state)) refuse('checkpoint is corrupted');
  if (found !== policyName) {
    refuse(
      `[memorymanager] configured policy "${policyName}" differs from state checkpoint policy "${found}"`,
    );
  }
  return state;
}

/** FNV-1a over what Go prints for the structure, as upstream's checkpoint manager. */
function checksumOf({ policyName, machineState, entries }: MemoryState): number {
  const nodes = Object.entries(machineState).map(([id, node]): [string, string] => [
    id,
    `<*>{NumberOfAssignments:(int)${node.numberOfAssignments} ` +
      `MemoryMap:(map[v1.ResourceName]*state.MemoryTable)${goMap(
        Object.entries(node.memoryMap).map(([name, table]) => [name, goTable(table)]),
      )} Cells:([]int)[${node.cells.join(' ')}]}`,
  ]);
  const pods = Object.entries(entries).map(([uid, containers]): [string, string] => [
    uid,
    goMap(
      Object.entries(containers).map(([name, blocks]) => [
        name,
        `[${blocks.map(goBlock).join(' ')}]`,
      ]),
    ),
  ]);
  return fnv1a(
    `(*state.MemoryManagerCheckpoint){PolicyName:(string)${policyName} ` +
      `MachineState:(state.NUMANodeMap)${goMap(nodes)} ` +
      `Entries:(state.ContainerMemoryAssignments)${goMap(pods)} Checksum:(checksum.Checksum)0}`,
  );
}

/** Keys that are numbers come in the order of numbers. */
function goMap(pairs: readonly (readonly [key: string, text: string])[]): string {
  const isNumeric = pairs.every(([key]) => /^\d+$/.test(key));
  const sorted = pairs.toSorted(([a], [b]) => (isNumeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  return `map[${sorted.map(([key, text]) => `${key}:${text}`).join(' ')}]`;
}

function goTable({ total, systemReserved, allocatable, reserved, free }: MemoryTable): string {
  return (
    `<*>{TotalMemSize:(uint64)${total} SystemReserved:(uint64)${systemReserved} ` +
    `Allocatable:(uint64)${allocatable} Reserved:(uint64)${reserved} Free:(uint64)${free}}`
  );
}

function goBlock({ numaAffinity, type, size }: MemoryBlock): string {
  return `{NUMAAffinity:([]int)[${numaAffinity.join(' ')}] Type:(v1.ResourceName)${type} Size:(uint64)${size}}`;
}
