import { K3tsError } from '#base/errors.ts';
import type { Pod } from '#schema/types.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { NumaMask } from './numa-mask.ts';

/** NUMA nodes from which something could be given; no mask: any of them. */
export interface TopologyHint {
  readonly mask: NumaMask | undefined;
  /** It is on as few nodes as the machine allows for such a wish. */
  readonly isPreferred: boolean;
}

/** By resource: undefined where any node will do, empty where there is no way. */
export type ResourceHints = ReadonlyMap<string, readonly TopologyHint[] | undefined>;

/** A manager that gives containers something for themselves. */
export interface HintProvider {
  /** Takes back what the pods have that are not among `holders` (uids). */
  releaseOthers(holders: ReadonlySet<string>): void;
  /** The pod has something already, such as from before a restart. */
  holds(podUid: string): boolean;
  hints(pod: Pod, container: AnyContainer): ResourceHints;
  /** For all of a pod's containers together. */
  podHints(pod: Pod): ResourceHints;
  /**
   * Gives a container what it asks for, on the nodes of the hint as far as possible. Asked again,
   * it changes nothing. Throws an AdmissionError, or another one with upstream's text.
   */
  allocate(pod: Pod, container: AnyContainer, hint: TopologyHint): void;
  /** Takes back what a pod has that is not admitted after all. */
  release(podUid: string): void;
  /** The pod is admitted: what it has may be written down. */
  settle(pod: Pod): void;
}

/** A pod that cannot come, for a reason of its own; others are unexpected. */
export class AdmissionError extends K3tsError {}
