import type { Node, Pod } from '#schema/types.ts';
import type { NodeInfo } from './node-info.ts';

/** Kinds of happenings in the cluster that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | 'Node/Add'
  | 'Node/Delete'
  | 'Node/UpdateAllocatable'
  | 'Node/UpdateLabel'
  | 'Node/UpdateTaint'
  | 'Node/UpdateDeclaredFeature'
  | 'AssignedPod/Add'
  | 'AssignedPod/Update'
  | 'AssignedPod/Delete'
  | 'UnscheduledPod/Update'
  | 'Namespace/Update'
  | 'Storage/Update'
  | 'Other';

/** One happening, with the objects it is about as far as they are known. */
export interface Happening {
  readonly event: ClusterEvent;
  /** The node, after the change; a deleted one as it was. */
  readonly node?: Node | undefined;
  readonly formerNode?: Node | undefined;
  /** The pod that came, changed or left. */
  readonly pod?: Pod | undefined;
  readonly formerPod?: Pod | undefined;
  /** Live: the node that the pod is on, or was on, with what is on it now. */
  readonly nodeInfo?: NodeInfo | undefined;
  /** `namespace/name` of the claim that a storage event is about; absent for other objects. */
  readonly claimKey?: string | undefined;
}
