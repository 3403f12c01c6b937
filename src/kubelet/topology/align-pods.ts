import { K3tsError, messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { Rejection } from '../pods/admission.ts';
import { specOf, uidOf } from '../pods/names.ts';
import { hintLists, mergeHints } from './hint-merger.ts';
import { AdmissionError } from './hint-provider.ts';
import type { HintProvider, ResourceHints, TopologyHint } from './hint-provider.ts';
import { countNodes } from './numa-mask.ts';
import type { NumaNodes } from './numa-mask.ts';
import { readTopologyOptions } from './policy-options.ts';

/** Admits pods to what they get for themselves, and has it given to them. */
export interface TopologyManager {
  /**
   * Gives all containers of a pod what they ask for; undefined when it may come, else nothing is
   * given. What pods have that are not among `holders` (uids) is taken back before.
   */
  admit(pod: Pod, holders: ReadonlySet<string>): Rejection | undefined;
}

export interface TopologyManagerOptions {
  readonly policy: string;
  readonly scope: string;
  readonly policyOptions: Readonly<Record<string, string>>;
  readonly nodes: NumaNodes;
  /** In the order in which they give. */
  readonly providers: readonly HintProvider[];
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly metrics?: TopologyMetrics | undefined;
}

export type TopologyMetrics = Pick<
  KubeletMetrics,
  | 'topologyRequests'
  | 'topologyErrors'
  | 'topologyDuration'
  | 'alignedContainers'
  | 'unalignedContainers'
>;

/** Nobody was asked where. */
const noHint: TopologyHint = { mask: undefined, isPreferred: false };

/** Throws upstream's text on a machine with too many nodes for the policy. */
export function createTopologyManager(options: TopologyManagerOptions): TopologyManager {
  const { policy, scope, nodes, providers, clock, metrics } = options;
  const { prefersClosest, maxNumaNodes } = readTopologyOptions(options.policyOptions);
  if (policy !== 'none' && nodes.ids.length > maxNumaNodes) {
    throw new K3tsError(
      'InvalidKubeletConfiguration',
      `unsupported on machines with more than ${maxNumaNodes} NUMA Nodes`,
    );
  }
  /** Only this policy promises one node. */
  const countAligned = (what: 'alignedContainers' | 'unalignedContainers'): void => {
    if (metrics === undefined || policy !== 'single-numa-node') return;
    metrics[what].with('numa_node', scope).value += 1;
  };
  /** Throws when the policy does not take the best that there is. */
  const merged = (hints: readonly ResourceHints[]): TopologyHint => {
    const isSingle = policy === 'single-numa-node';
    const lists = isSingle ? hintLists(hints).map(onOneNode) : hintLists(hints);
    const best = mergeHints({ nodes, lists, prefersClosest: prefersClosest && !isSingle });
    if (policy !== 'best-effort' && !best.isPreferred) {
      countAligned('unalignedContainers');
      throw new AdmissionError(
        'TopologyAffinityError',
        'Resources cannot be allocated with Topology locality',
      );
    }
    return isSingle && best.mask === nodes.all ? { ...best, mask: undefined } : best;
  };
  const allocateAll = (pod: Pod): void => {
    const { initContainers = [], containers } = specOf(pod);
    const isForPod = policy !== 'none' && scope === 'pod';
    const ofPod = isForPod ? merged(providers.map((one) => one.podHints(pod))) : noHint;
    for (const container of [...initContainers, ...containers]) {
      const hint =
        policy === 'none' || isForPod
          ? ofPod
          : merged(providers.map((one) => one.hints(pod, container)));
      for (const provider of providers) provider.allocate(pod, container, hint);
      if (!isForPod) countAligned('alignedContainers');
    }
    if (isForPod) countAligned('alignedContainers');
  };

  const admit = (pod: Pod, holders: ReadonlySet<string>): Rejection | undefined => {
    const uid = uidOf(pod);
    const kept = new Set([...holders, uid]);
    for (const provider of providers) provider.releaseOthers(kept);
    const known = new Set(providers.filter((one) => one.holds(uid)));
    try {
      allocateAll(pod);
    } catch (error) {
      if (policy !== 'none' && metrics !== undefined) metrics.topologyErrors.with().value += 1;
      for (const provider of providers) if (!known.has(provider)) provider.release(uid);
      if (error instanceof AdmissionError) return { reason: error.code, message: error.message };
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Allocate failed due to ${messageOf(error)}, which is unexpected`,
      };
    }
    for (const provider of providers) provider.settle(pod);
    return undefined;
  };

  return {
    admit(pod, holders) {
      if (metrics === undefined) return admit(pod, holders);
      const startMs = clock.monotonicMs();
      metrics.topologyRequests.with().value += 1;
      const rejection = admit(pod, holders);
      metrics.topologyDuration.with().observe(clock.monotonicMs() - startMs);
      return rejection;
    },
  };
}

function onOneNode(hints: readonly TopologyHint[]): TopologyHint[] {
  return hints.filter(
    ({ mask, isPreferred }) => isPreferred && (mask === undefined || countNodes(mask) === 1),
  );
}
