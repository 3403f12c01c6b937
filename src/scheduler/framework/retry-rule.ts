import type { ClusterEvent, Happening } from './happening.ts';
import type { PodInfo } from './node-info.ts';

/** What a plugin waits for, and its closer look at it: false when it is no help. */
export interface RetryRule {
  readonly events: readonly ClusterEvent[];
  readonly isHelpedBy?: ((pod: PodInfo, happening: Happening) => boolean) | undefined;
}
