/**
 * The CPU manager: processors that a container has for itself (policy static), the shared ones of
 * all others, and the checkpoint cpu_manager_state. It sets no shares or quotas: those are in
 * containers/linux-resources.ts. Start reading at exclusive-cpus.ts, then static-policy.ts.
 */
export { createCpuManager, type CpuManager, type CpuManagerOptions } from './exclusive-cpus.ts';
export { formatCpuSet, parseCpuSet } from './cpu-set.ts';
export { checkCpuPolicy } from './policy-options.ts';
export { readCpuTopology, type CpuTopology } from './cpu-topology.ts';
