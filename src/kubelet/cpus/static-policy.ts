import { K3tsError } from '#base/errors.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import { containersOf, specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import type { CpuAssignments, CpuState } from './cpu-checkpoint.ts';
import { formatCpuSet, isSameCpus, noCpus } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';
import { allCpus, cpusPer, groupCpus } from './cpu-topology.ts';
import type { CpuTopology } from './cpu-topology.ts';
import type { StaticPolicyOptions } from './policy-options.ts';
import { AdmissionError, podTotal } from '../topology/mod.ts';
import type { NumaMask, NumaNodes, ResourceHints } from '../topology/mod.ts';
import { cpusNear, createCpuHints } from './cpu-hints.ts';
import { spreadCpus } from './spread-cpus.ts';
import { takeCpus } from './take-cpus.ts';

/** Who has which processors for himself. Nothing here touches disk or runtime. */
export interface StaticPolicy {
  readonly allocatable: CpuSet;
  readonly state: () => CpuState;
  /** Where a container's processors could be; see HintProvider. */
  hints(pod: Pod, container: AnyContainer): ResourceHints;
  podHints(pod: Pod): ResourceHints;
  /** Gives a container its processors when it gets its own, on the nodes of the mask first. */
  allocate(pod: Pod, container: AnyContainer, mask: NumaMask | undefined): void;
  /** Takes back what pods have that are not among `holders`; answers whether there was any. */
  releaseOthers(holders: ReadonlySet<string>): boolean;
  release(podUid: string): void;
  exclusive(podUid: string, container: string): CpuSet | undefined;
}

/** A pod that cannot be placed on whole cores; its reason is its own. */
export class SmtAlignmentError extends AdmissionError {
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

export interface StaticPolicySettings {
  readonly topology: CpuTopology;
  readonly nodes: NumaNodes;
  readonly options: StaticPolicyOptions;
  readonly reserved: CpuSet;
  /** From the checkpoint; undefined at the first start. */
  readonly restored: CpuState | undefined;
}

export function createStaticPolicy(settings: StaticPolicySettings): StaticPolicy {
  const { topology, nodes, options, reserved, restored } = settings;
  const all = allCpus(topology);
  const initial = options.isStrictReservation ? all.difference(reserved) : all;
  const assignments: CpuAssignments = restored?.assignments ?? new Map();
  const restoredShared = restored?.shared ?? noCpus;
  if (restoredShared.size > 0) checkRestored(settings, restored as CpuState);
  else if (assignments.size > 0) throw invalidState('default cpuset cannot be empty');
  let shared: CpuSet = restoredShared.size > 0 ? restoredShared : initial;
  const hintsFor = createCpuHints({ topology, nodes, isBySocket: options.isBySocket });
  const coreSize = cpusPer(topology, 'core');

  const wholeCoresOnly = (available: CpuSet, count: number): void => {
    if (count % coreSize !== 0) {
      throw new SmtAlignmentError(
        `requested ${count} cpus not multiple cpus per core = ${coreSize}`,
      );
    }
    const cores = groupCpus(topology, 'core', available);
    const free = cores.filter(([, one]) => one.length === coreSize).length * coreSize;
    if (count <= free) return;
    throw new SmtAlignmentError(
      `not enough free physical CPUs: available physical CPUs = ${free}, requested CPUs = ${count}, CPUs per core = ${coreSize}`,
    );
  };
  const release = (uid: string): void => {
    for (const cpus of assignments.get(uid)?.values() ?? []) shared = shared.union(cpus);
    assignments.delete(uid);
  };
  /** Init containers that end leave their processors to those after them. */
  const reusableFor = (pod: Pod, name: string): CpuSet => {
    const { initContainers = [], containers } = specOf(pod);
    let reusable: CpuSet = noCpus;
    for (const container of [...initContainers, ...containers]) {
      if (container.name === name) break;
      const cpus = assignments.get(uidOf(pod))?.get(container.name) ?? noCpus;
      const ends = initContainers.includes(container) && container.restartPolicy !== 'Always';
      reusable = ends ? reusable.union(cpus) : reusable.difference(cpus);
    }
    return reusable;
  };
  const take = (available: CpuSet, count: number): CpuSet => {
    const { isByCache, isSpreadOverCores, isFullCoresOnly } = options;
    const wish = { topology, available, count, isByCache, isSpreadOverCores };
    if (!options.isSpreadOverNuma) return takeCpus(wish);
    return spreadCpus({ ...wish, groupSize: isFullCoresOnly ? coreSize : 1 });
  };
  /** Those on the nodes of the mask first, and of the others only what they lack. */
  const takeNear = (available: CpuSet, count: number, mask: NumaMask | undefined): CpuSet => {
    if (mask === undefined) return take(available, count);
    const near = available.intersection(cpusNear(settings, mask));
    const first = take(near, Math.min(count, near.size));
    if (first.size === count) return first;
    return first.union(take(available.difference(first), count - first.size));
  };

  return {
    allocatable: all.difference(reserved),
    state: () => ({ policy: 'static', shared, assignments }),
    hints(pod, container) {
      const count = exclusiveCpuCount(pod, container);
      if (count === 0) return new Map();
      const own = assignments.get(uidOf(pod))?.get(container.name);
      const free = own ?? shared.difference(reserved);
      const reusable = own === undefined ? reusableFor(pod, container.name) : noCpus;
      const isOther = own !== undefined && own.size !== count;
      return new Map([['cpu', isOther ? [] : hintsFor({ free, reusable, count })]]);
    },
    podHints(pod) {
      const count = podTotal(pod, (container) => exclusiveCpuCount(pod, container));
      if (count === 0) return new Map();
      let own: CpuSet = noCpus;
      for (const { container } of containersOf(pod)) {
        const cpus = assignments.get(uidOf(pod))?.get(container.name);
        if (cpus === undefined) continue;
        if (cpus.size !== exclusiveCpuCount(pod, container)) return new Map([['cpu', []]]);
        own = own.union(cpus);
      }
      const isComplete = own.size === count;
      const free = isComplete ? own : shared.difference(reserved);
      const reusable = isComplete ? noCpus : own;
      return new Map([['cpu', hintsFor({ free, reusable, count })]]);
    },
    allocate(pod, container, mask) {
      const count = exclusiveCpuCount(pod, container);
      const own = assignments.get(uidOf(pod)) ?? new Map<string, CpuSet>();
      if (count === 0 || own.has(container.name)) return;
      const available = shared.difference(reserved).union(reusableFor(pod, container.name));
      if (options.isFullCoresOnly) wholeCoresOnly(available, count);
      const cpus = takeNear(available, count, mask);
      shared = shared.difference(cpus);
      assignments.set(uidOf(pod), own.set(container.name, cpus));
    },
    releaseOthers(holders) {
      const gone = [...assignments.keys()].filter((uid) => !holders.has(uid));
      for (const uid of gone) release(uid);
      return gone.length > 0;
    },
    release,
    exclusive: (uid, container) => assignments.get(uid)?.get(container),
  };
}

function invalidState(problem: string): K3tsError {
  return new K3tsError('InvalidCpuState', `start cpu manager error: ${problem}`);
}

/** The machine or the reservation may be another one than when the state was written. */
function checkRestored(
  { topology, options, reserved }: StaticPolicySettings,
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
