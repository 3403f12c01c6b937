/**
 * What claims and persistent volumes mean together: classes, binding, which volume suits a claim,
 * which nodes can reach it. Pure functions that the scheduler, the binder and the kubelet share.
 */
export {
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  claimClass,
  claimKeyOf,
  isClaimBound,
  isVolumeBoundTo,
  podClaims,
  selectedNodeAnnotation,
  volumeClass,
} from './binding.ts';
export type { PodClaim } from './binding.ts';
export {
  findMatchingVolume,
  findPlainestVolume,
  isSameVolumeMode,
  volumeMisfit,
  volumeReaches,
} from './matching.ts';
