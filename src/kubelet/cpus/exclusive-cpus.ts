import { join } from 'node:path';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import type { HintProvider, NumaNodes } from '../topology/mod.ts';
import { containersOf, uidOf } from '../pods/names.ts';
import { emptyCpuState, readCpuState, writeCpuState } from './cpu-checkpoint.ts';
import { formatCpuSet, noCpus, sortedCpus } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';
import { allCpus } from './cpu-topology.ts';
import type { CpuTopology } from './cpu-topology.ts';
import { checkCpuPolicy, readPolicyOptions } from './policy-options.ts';
import { createStaticPolicy, exclusiveCpuCount } from './static-policy.ts';
import type { StaticPolicy } from './static-policy.ts';
import { takeCpus } from './take-cpus.ts';

/** Gives containers processors of their own and keeps all others away from those. */
export interface CpuManager extends HintProvider {
  readonly policy: 'none' | 'static';
  /** Processors for the runtime, `0-1,4`; empty when the policy leaves that to the kernel. */
  cpusetOf(podUid: string, container: string): string;
  /** Some container of the pod, or this one, has processors of its own: it gets no quota. */
  hasExclusive(pod: Pod, container?: string): boolean;
  /** For the pod resources API. */
  exclusive(podUid: string, container: string): number[];
  allocatable(): number[];
  /** Sizes for metrics, in processors. */
  counts(): { shared: number; exclusive: number; requests: number; errors: number };
  /** Called after each change of who has what; the newest one only. */
  onChange(listener: () => void): void;
  /** Resolves when the checkpoint holds everything until now. */
  saved(): Promise<void>;
}

export interface CpuManagerOptions {
  readonly policy: string;
  readonly policyOptions: Readonly<Record<string, string>>;
  /** Of kubeReserved and systemReserved together, in thousandths. */
  readonly reservedMilliCpu: number;
  /** reservedSystemCPUs; empty: the lowest ones are taken. */
  readonly reservedCpus: CpuSet;
  readonly topology: CpuTopology;
  readonly nodes: NumaNodes;
  /** The feature gate CPUManagerPolicyAlphaOptions. */
  readonly hasAlphaOptions?: boolean | undefined;
  /** Of the topology manager; none when absent. */
  readonly topologyPolicy?: string | undefined;
  /** Usually /var/lib/kubelet. */
  readonly rootDir: string;
  readonly log: Logger;
}

const stateFile = 'cpu_manager_state';

/** Reads the checkpoint and checks it against the machine; throws upstream's texts. */
export async function createCpuManager(options: CpuManagerOptions): Promise<CpuManager> {
  const { policy, rootDir, hasAlphaOptions, topologyPolicy } = options;
  const path = join(rootDir, stateFile);
  const hasReservation = options.reservedMilliCpu > 0;
  const surroundings = { hasReservation, hasAlphaOptions, topologyPolicy };
  checkCpuPolicy(policy, options.policyOptions, surroundings);
  const policyOptions = readPolicyOptions(policy, options.policyOptions, hasAlphaOptions);
  if (policy === 'none') {
    await readCpuState(path, policy);
    await writeCpuState(path, emptyCpuState);
    return noneManager;
  }
  const restored = await readCpuState(path, policy);
  const reserved = reservedCpus(options);
  const { topology, nodes } = options;
  const fixed = createStaticPolicy({
    topology,
    nodes,
    options: policyOptions,
    reserved,
    restored,
  });
  await writeCpuState(path, fixed.state());
  return staticManager(fixed, path, options);
}

const noneManager: CpuManager = {
  policy: 'none',
  releaseOthers: () => undefined,
  holds: () => false,
  hints: () => new Map(),
  podHints: () => new Map(),
  allocate: () => undefined,
  release: () => undefined,
  settle: () => undefined,
  cpusetOf: () => '',
  hasExclusive: () => false,
  exclusive: () => [],
  allocatable: () => [],
  counts: () => ({ shared: 0, exclusive: 0, requests: 0, errors: 0 }),
  onChange: () => undefined,
  saved: async () => undefined,
};

function reservedCpus(options: CpuManagerOptions): CpuSet {
  const { reservedMilliCpu, topology } = options;
  const count = Math.ceil(reservedMilliCpu / 1000);
  const all = allCpus(topology);
  const reserved =
    options.reservedCpus.size > 0
      ? options.reservedCpus
      : takeCpus({ topology, available: all, count: Math.min(count, all.size) });
  if (reserved.size !== count) {
    throw new K3tsError(
      'InvalidKubeletConfiguration',
      `[cpumanager] unable to reserve the required amount of CPUs (size of ${formatCpuSet(reserved)} did not equal ${count})`,
    );
  }
  return reserved;
}

function staticManager(
  fixed: StaticPolicy,
  path: string,
  { log }: Pick<CpuManagerOptions, 'log'>,
): CpuManager {
  let saving = Promise.resolve();
  let isDirty = false;
  let requests = 0;
  let errors = 0;
  let tell = (): void => undefined;
  const changed = (): void => {
    tell();
    if (isDirty) return;
    isDirty = true;
    saving = saving
      .then(() => {
        isDirty = false;
        return writeCpuState(path, fixed.state());
      })
      .catch((error: unknown) => {
        log.error('cannot write the state of the CPU manager', { path, error: messageOf(error) });
      });
  };
  const releaseOthers = (holders: ReadonlySet<string>): void => {
    if (fixed.releaseOthers(holders)) changed();
  };

  return {
    policy: 'static',
    holds: (uid) => fixed.state().assignments.has(uid),
    hints: (pod, container) => fixed.hints(pod, container),
    podHints: (pod) => fixed.podHints(pod),
    allocate(pod, container, { mask }) {
      if (exclusiveCpuCount(pod, container) === 0) return;
      requests += 1;
      try {
        fixed.allocate(pod, container, mask);
      } catch (error) {
        errors += 1;
        throw error;
      }
    },
    release: (uid) => fixed.release(uid),
    settle(pod) {
      if (fixed.state().assignments.has(uidOf(pod))) changed();
    },
    releaseOthers,
    cpusetOf: (uid, container) =>
      formatCpuSet(fixed.exclusive(uid, container) ?? fixed.state().shared),
    hasExclusive: (pod, container) =>
      containersOf(pod).some(
        ({ container: { name } }) =>
          (container === undefined || name === container) &&
          fixed.exclusive(uidOf(pod), name) !== undefined,
      ),
    exclusive: (uid, container) => sortedCpus(fixed.exclusive(uid, container) ?? noCpus),
    allocatable: () => sortedCpus(fixed.allocatable),
    counts() {
      const { shared, assignments } = fixed.state();
      const own = [...assignments.values()].flatMap((containers) => [...containers.values()]);
      const exclusive = new Set(own.flatMap((cpus) => [...cpus])).size;
      return { shared: shared.size, exclusive, requests, errors };
    },
    onChange(listener) {
      tell = listener;
    },
    saved: () => saving,
  };
}
