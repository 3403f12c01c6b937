/**
 * The memory manager: which NUMA nodes memory and huge pages of Guaranteed pods come from (policy
 * Static), and the checkpoint memory_manager_state. It limits no amounts: those are in
 * containers/linux-resources.ts. Start reading at memory-nodes.ts, then static-memory.ts.
 */
export { createMemoryManager, type MemoryManager } from './memory-nodes.ts';
export {
  readReservedMemory,
  reservedMemoryProblem,
  type ReservedMemory,
} from './reserved-memory.ts';
export { withMemoryNodes } from './with-memory-nodes.ts';
