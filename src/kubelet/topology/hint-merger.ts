import type { ResourceHints, TopologyHint } from './hint-provider.ts';
import { countNodes, isNarrower } from './numa-mask.ts';
import type { NumaMask, NumaNodes } from './numa-mask.ts';

type Merged = TopologyHint & { readonly mask: NumaMask };

/** The hints of each resource of each provider; who has no wish is happy anywhere. */
export function hintLists(providers: readonly ResourceHints[]): (readonly TopologyHint[])[] {
  return providers.flatMap((resources): (readonly TopologyHint[])[] => {
    if (resources.size === 0) return [[{ mask: undefined, isPreferred: true }]];
    return [...resources.values()].map((hints) => {
      if (hints === undefined) return [{ mask: undefined, isPreferred: true }];
      return hints.length === 0 ? [{ mask: undefined, isPreferred: false }] : hints;
    });
  });
}

/**
 * The nodes on which all resources can be had best: one hint of each list is taken, in every way,
 * and of what they have in common the best is kept. Same as upstream, also in what it prefers among
 * those that nobody prefers: as many nodes as the resource needs that needs most.
 */
export function mergeHints(options: {
  nodes: NumaNodes;
  lists: readonly (readonly TopologyHint[])[];
  /** Nodes near each other rather than those with low numbers. */
  prefersClosest: boolean;
}): Merged {
  const { nodes, lists, prefersClosest } = options;
  const wanted = Math.max(0, ...lists.map(fewestNodes));
  const isBetterMask = prefersClosest ? isCloserIn(nodes) : isNarrower;
  let best: Merged | undefined;
  const visit = (index: number, merged: Merged, first: NumaMask | undefined): void => {
    const list = lists[index];
    if (list === undefined) {
      if (best === undefined ? merged.mask !== 0 : isBetter(merged, best, wanted, isBetterMask)) {
        best = merged;
      }
      return;
    }
    for (const { mask, isPreferred } of list) {
      const isSame = mask === undefined || first === undefined || mask === first;
      const next = {
        mask: mask === undefined ? merged.mask : merged.mask & mask,
        isPreferred: merged.isPreferred && isPreferred && isSame,
      };
      visit(index + 1, next, first ?? mask);
    }
  };
  visit(0, { mask: nodes.all, isPreferred: true }, undefined);
  return best ?? { mask: nodes.all, isPreferred: false };
}

function fewestNodes(hints: readonly TopologyHint[]): number {
  const counts = hints.flatMap(({ mask }) => (mask === undefined ? [] : [countNodes(mask)]));
  return counts.length === 0 ? 0 : Math.min(...counts);
}

function isCloserIn(nodes: NumaNodes): (a: NumaMask, b: NumaMask) => boolean {
  return (a, b) => {
    if (countNodes(a) !== countNodes(b)) return isNarrower(a, b);
    const [distanceA, distanceB] = [nodes.meanDistance(a), nodes.meanDistance(b)];
    return distanceA === distanceB ? a < b : distanceA < distanceB;
  };
}

function isBetter(
  candidate: Merged,
  current: Merged,
  wanted: number,
  isBetterMask: (a: NumaMask, b: NumaMask) => boolean,
): boolean {
  if (candidate.mask === 0) return false;
  if (candidate.isPreferred !== current.isPreferred) return candidate.isPreferred;
  const betterMask = (): boolean =>
    candidate.mask !== current.mask && isBetterMask(candidate.mask, current.mask);
  if (candidate.isPreferred) return betterMask();
  const [now, then] = [countNodes(current.mask), countNodes(candidate.mask)];
  if (now > wanted) return betterMask();
  if (now === wanted) return then === wanted && betterMask();
  // Fewer nodes than needed: as near to that number as possible, from below.
  if (then > wanted) return false;
  if (then !== now) return then > now;
  return betterMask();
}
