import { K3tsError } from '#base/errors.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import { specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import type { CpuAssignments, CpuState } from './cpu-checkpoint.ts';
import { formatCpuSet, isSameCpus, noCpus } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';
import { allCpus, cpusPer, groupCpus } from './cpu-topology.ts';
import type { CpuTopology } from './cpu-topology.ts';
import type { StaticPolicyOptions } from './policy-options.ts';
import { takeCpus } from './take-cpus.ts';

/** Who has which processors for himself. Nothing here touches disk or runtime. */
export interface StaticPolicy {
  readonly allocatable: CpuSet;
  readonly state: () => CpuState;
  /** Gives processors to those containers of a pod that get their own; all or nothing. */
  allocate(pod: Pod): void;
  /** Takes back what pods have that are not among `holders`; answers whether there was any. */
  releaseOthers(holders: ReadonlySet<string>): boolean;
  exclusive(podUid: string, container: string): CpuSet | undefined;
}

/** A pod that cannot be placed on whole cores; its reason is its own. */
export class SmtAlignmentError extends K3tsError {
  constructor(message: string) {
    super('SMTAlignmentError', `SMT Alignment Error: ${message}`);
    this.name = 'SmtAlignmentError';
  }
}

/**
 * How many processors a container gets for itself: those of pods with QoS class Guaranteed that ask
 * for a whole number. Pods with resources of their own get none, as upstream.
 */
export function exclusiveCpuCount(pod: Pod, container: AnyContainer): number {
  if (podQosClass(pod.spec) !== 'Guaranteed' || specOf(pod).resources !== undefined) return 0;
  const { requests, limits } = container.resources ?? {};
  const milli = amountValue(requests?.['cpu'] === undefined ? limits : requests, 'cpu');
  return milli % 1000 === 0 ? milli / 1000 : 0;
}

export function createStaticPolicy(settings: {
  topology: CpuTopology;
  options: StaticPolicyOptions;
  reserved: CpuSet;
  /** From the checkpoint; undefined at the first start. */
  restored: CpuState | undefined;
}): StaticPolicy {
  const { topology, options, reserved, restored } = settings;
  const all = allCpus(topology);
  const initial = options.isStrictReservation ? all.difference(reserved) : all;
  const assignments: CpuAssignments = restored?.assignments ?? new Map();
  const restoredShared = restored?.shared ?? noCpus;
  if (restoredShared.size > 0) checkRestored(settings, restored as CpuState);
  else if (assignments.size > 0) throw invalidState('default cpuset cannot be empty');
  let shared: CpuSet = restoredShared.size > 0 ? restoredShared : initial;

  const wholeCoresOnly = (available: CpuSet, count: number): void => {
    const size = cpusPer(topology, 'core');
    if (count % size !== 0) {
      throw new SmtAlignmentError(`requested ${count} cpus not multiple cpus per core = ${size}`);
    }
    const cores = groupCpus(topology, 'core', available).filter(([, one]) => one.length === size);
    const free = cores.length * size;
    if (count <= free) return;
    throw new SmtAlignmentError(
      `not enough free physical CPUs: available physical CPUs = ${free}, requested CPUs = ${count}, CPUs per core = ${size}`,
    );
  };
  const release = (uid: string): void => {
    for (const cpus of assignments.get(uid)?.values() ?? []) shared = shared.union(cpus);
    assignments.delete(uid);
  };
  /** Init containers that end leave their processors to those after them. */
  const allocateAll = (pod: Pod): void => {
    const uid = uidOf(pod);
    const { initContainers = [], containers } = specOf(pod);
    let reusable: CpuSet = noCpus;
    for (const container of [...initContainers, ...containers]) {
      const count = exclusiveCpuCount(pod, container);
      if (count === 0) continue;
      const available = shared.difference(reserved).union(reusable);
      let cpus = assignments.get(uid)?.get(container.name);
      if (cpus === undefined) {
        if (options.isFullCoresOnly) wholeCoresOnly(available, count);
        cpus = takeCpus({ topology, available, count, isByCache: options.isByCache });
        shared = shared.difference(cpus);
        const own = assignments.get(uid) ?? new Map<string, CpuSet>();
        assignments.set(uid, own.set(container.name, cpus));
      }
      const ends = initContainers.includes(container) && container.restartPolicy !== 'Always';
      reusable = ends ? reusable.union(cpus) : reusable.difference(cpus);
    }
  };

  return {
    allocatable: all.difference(reserved),
    state: () => ({ policy: 'static', shared, assignments }),
    allocate(pod) {
      const isKnown = assignments.has(uidOf(pod));
      try {
        allocateAll(pod);
      } catch (error) {
        if (!isKnown) release(uidOf(pod));
        throw error;
      }
    },
    releaseOthers(holders) {
      const gone = [...assignments.keys()].filter((uid) => !holders.has(uid));
      for (const uid of gone) release(uid);
      return gone.length > 0;
    },
    exclusive: (uid, container) => assignments.get(uid)?.get(container),
  };
}

function invalidState(problem: string): K3tsError {
  return new K3tsError('InvalidCpuState', `start cpu manager error: ${problem}`);
}

/** The machine or the reservation may be another one than when the state was written. */
function checkRestored(
  { topology, options, reserved }: Parameters<typeof createStaticPolicy>[0],
  { shared, assignments }: CpuState,
): void {
  const text = formatCpuSet(shared);
  if (options.isStrictReservation) {
    const both = shared.intersection(reserved);
    if (both.size > 0) {
      throw invalidState(
        `some of strictly reserved cpus: "${formatCpuSet(both)}" are present in defaultCpuSet: "${text}"`,
      );
    }
  } else if (!reserved.isSubsetOf(shared)) {
    throw invalidState(
      `not all reserved cpus: "${formatCpuSet(reserved)}" are present in defaultCpuSet: "${text}"`,
    );
  }
  let known = shared;
  for (const [uid, containers] of assignments) {
    for (const [name, cpus] of containers) {
      if (!cpus.isDisjointFrom(shared)) {
        throw invalidState(
          `pod: ${uid}, container: ${name} cpuset: "${formatCpuSet(cpus)}" overlaps with default cpuset "${text}"`,
        );
      }
      known = known.union(cpus);
    }
  }
  const all = allCpus(topology);
  const expected = options.isStrictReservation ? all.difference(reserved) : all;
  if (isSameCpus(known, expected)) return;
  throw invalidState(
    `current set of available CPUs "${formatCpuSet(expected)}" doesn't match with CPUs in state "${formatCpuSet(known)}"`,
  );
}
