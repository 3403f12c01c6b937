import { podClaims } from '#schema/volumes/mod.ts';
import type { Happening } from '../framework/happening.ts';
import type { PodInfo } from '../framework/node-info.ts';

/** Hint of the volume plugins: a claim that changed helps only pods that use it. */
export function usesChangedClaim({ pod }: PodInfo, { claimKey }: Happening): boolean {
  if (claimKey === undefined) return true;
  const { namespace = '' } = pod.metadata;
  return podClaims(pod).some(({ name }) => `${namespace}/${name}` === claimKey);
}
