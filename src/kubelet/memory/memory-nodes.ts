import { join } from 'node:path';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { quantityOf, formatQuantity } from '#base/quantity.ts';
import type { HintProvider, NumaNode, NumaNodes } from '../topology/mod.ts';
import { nodeOf, reserveBlock, toState } from './memory-blocks.ts';
import type { MutableMemory } from './memory-blocks.ts';
import { readMemoryState, writeMemoryState } from './memory-checkpoint.ts';
import type { MachineMemory, MemoryBlock, MemoryState } from './memory-checkpoint.ts';
import type { ReservedBytes } from './reserved-memory.ts';
import { createStaticMemory, isPlaced } from './static-memory.ts';

/** Has containers use memory of certain NUMA nodes. */
export interface MemoryManager extends HintProvider {
  readonly policy: 'None' | 'Static';
  /** NUMA nodes for the runtime, `0,1`; empty when the policy leaves that to the kernel. */
  nodesOf(podUid: string, container: string): string;
  /** For the pod resources API. */
  blocks(podUid: string, container: string): readonly MemoryBlock[];
  allocatable(): MemoryBlock[];
  /** For metrics. */
  counts(): { requests: number; errors: number };
  /** Resolves when the checkpoint holds everything until now. */
  saved(): Promise<void>;
}

export interface MemoryManagerOptions {
  readonly policy: string;
  readonly nodes: NumaNodes;
  readonly numaNodes: readonly NumaNode[];
  readonly reserved: ReservedBytes;
  /** Usually /var/lib/kubelet. */
  readonly rootDir: string;
  readonly log: Logger;
}

const stateFile = 'memory_manager_state';

/** Reads the checkpoint and checks it against the machine; throws upstream's texts. */
export async function createMemoryManager(options: MemoryManagerOptions): Promise<MemoryManager> {
  const { policy, nodes, rootDir } = options;
  const path = join(rootDir, stateFile);
  if (policy === 'None') {
    await readMemoryState(path, policy);
    await writeMemoryState(path, { policyName: 'None', machineState: {}, entries: {} });
    return noneManager;
  }
  if (policy !== 'Static') throw invalid(`unknown policy: "${policy}"`);
  const amounts = [...options.reserved.values()].map((own) => own.get('memory') ?? 0);
  if (amounts.every((bytes) => bytes === 0)) {
    throw invalid('[memorymanager] you should specify the system reserved memory');
  }
  const restored = await readMemoryState(path, policy);
  const memory = restoredMemory(options, restored);
  await writeMemoryState(path, toState(memory));
  return staticManager(memory, { ...options, nodes, path });
}

const noneManager: MemoryManager = {
  policy: 'None',
  releaseOthers: () => undefined,
  holds: () => false,
  hints: () => new Map(),
  podHints: () => new Map(),
  allocate: () => undefined,
  release: () => undefined,
  settle: () => undefined,
  nodesOf: () => '',
  blocks: () => [],
  allocatable: () => [],
  counts: () => ({ requests: 0, errors: 0 }),
  saved: async () => undefined,
};

/** What the machine has when nobody was given anything. */
function emptyMachine({ numaNodes, reserved }: MemoryManagerOptions): MachineMemory {
  const machine: MachineMemory = {};
  for (const { id, memoryBytes, hugePages } of numaNodes) {
    const own = reserved.get(id);
    const table = (name: string, total: number, less: number) => {
      const systemReserved = own?.get(name) ?? 0;
      const allocatable = total - systemReserved - less;
      return { total, systemReserved, allocatable, reserved: 0, free: allocatable };
    };
    const node = nodeOf({ machine: {} }, id);
    let huge = 0;
    for (const [sizeKib, bytes] of hugePages) {
      const name = `hugepages-${formatQuantity(quantityOf(sizeKib * 1024, 'BinarySI'))}`;
      node.memoryMap[name] = table(name, bytes, 0);
      huge += bytes;
    }
    node.memoryMap['memory'] = table('memory', memoryBytes, huge);
    machine[String(id)] = node;
  }
  return machine;
}

/** The machine or the reservation may be another one than when the state was written. */
function restoredMemory(
  options: MemoryManagerOptions,
  restored: MemoryState | undefined,
): MutableMemory {
  const machine = emptyMachine(options);
  const entries: MutableMemory['entries'] = new Map();
  const pods = Object.entries(restored?.entries ?? {});
  if (restored === undefined || Object.keys(restored.machineState).length === 0) {
    if (pods.length === 0) return { machine, entries };
    throw invalid('[memorymanager] machine state can not be empty when it has memory assignments');
  }
  for (const [uid, containers] of pods) {
    const own = new Map<string, MemoryBlock[]>();
    for (const [name, blocks] of Object.entries(containers)) {
      const about = `[memorymanager] (pod: ${uid}, container: ${name}) the memory assignment uses`;
      for (const block of blocks) {
        for (const id of block.numaAffinity) {
          const node = machine[String(id)];
          if (node === undefined) throw invalid(`${about} the NUMA that does not exist`);
          if (node.memoryMap[block.type] !== undefined) continue;
          throw invalid(`${about} memory resource that does not exist`);
        }
        reserveBlock(machine, block, block.size);
      }
      own.set(name, [...blocks]);
    }
    entries.set(uid, own);
  }
  if (summary(machine) !== summary(restored.machineState)) {
    throw invalid('[memorymanager] the expected machine state is different from the real one');
  }
  return { machine, entries };
}

/** Nodes that give together may have given in another order: only their sums must be the same. */
function summary(machine: MachineMemory): string {
  const ids = Object.keys(machine).sort((a, b) => Number(a) - Number(b));
  const nodes = ids.map((id) => {
    const { numberOfAssignments = 0, cells = [], memoryMap = {} } = machine[id] ?? {};
    const tables = Object.entries(memoryMap).sort(([a], [b]) => (a < b ? -1 : 1));
    const amounts = tables.map(([type, { total, systemReserved, allocatable }]) => {
      const group = cells.map((cell) => machine[String(cell)]?.memoryMap[type]);
      const free = group.reduce((sum, one) => sum + (one?.free ?? 0), 0);
      const reserved = group.reduce((sum, one) => sum + (one?.reserved ?? 0), 0);
      return [type, total, systemReserved, allocatable, free, reserved];
    });
    return [id, numberOfAssignments, cells.toSorted((a, b) => a - b), amounts];
  });
  return JSON.stringify(nodes);
}

function staticManager(
  memory: MutableMemory,
  { nodes, path, log }: Pick<MemoryManagerOptions, 'nodes' | 'log'> & { path: string },
): MemoryManager {
  const placed = createStaticMemory(nodes, memory);
  const { entries, machine } = memory;
  let saving = Promise.resolve();
  let isDirty = false;
  let requests = 0;
  let errors = 0;
  const changed = (): void => {
    if (isDirty) return;
    isDirty = true;
    saving = saving
      .then(() => {
        isDirty = false;
        return writeMemoryState(path, toState(memory));
      })
      .catch((error: unknown) => {
        log.error('cannot write the state of the memory manager', {
          path,
          error: messageOf(error),
        });
      });
  };
  const blocks = (uid: string, container: string): readonly MemoryBlock[] =>
    entries.get(uid)?.get(container) ?? [];

  return {
    policy: 'Static',
    releaseOthers(holders) {
      const gone = [...entries.keys()].filter((uid) => !holders.has(uid));
      for (const uid of gone) placed.release(uid);
      if (gone.length > 0) changed();
    },
    holds: (uid) => entries.has(uid),
    hints: (pod, container) => placed.hints(pod, container),
    podHints: (pod) => placed.podHints(pod),
    allocate(pod, container, hint) {
      if (!isPlaced(pod)) return;
      requests += 1;
      try {
        placed.allocate(pod, container, hint);
      } catch (error) {
        errors += 1;
        throw error;
      }
    },
    release: (uid) => placed.release(uid),
    settle(pod) {
      if (isPlaced(pod)) changed();
    },
    nodesOf(uid, container) {
      const ids = blocks(uid, container).flatMap(({ numaAffinity }) => numaAffinity);
      return [...new Set(ids)].sort((a, b) => a - b).join(',');
    },
    blocks,
    allocatable: () =>
      Object.entries(machine).flatMap(([id, { memoryMap }]) =>
        Object.entries(memoryMap)
          .filter(([, { allocatable }]) => allocatable > 0)
          .map(([type, table]) => ({ numaAffinity: [Number(id)], type, size: table.allocatable })),
      ),
    counts: () => ({ requests, errors }),
    saved: () => saving,
  };
}

function invalid(problem: string): K3tsError {
  return new K3tsError('InvalidKubeletConfiguration', problem);
}
