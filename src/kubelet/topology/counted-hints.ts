import type { TopologyHint } from './hint-provider.ts';
import { countNodes } from './numa-mask.ts';
import type { NumaMask, NumaNodes } from './numa-mask.ts';

/**
 * Hints for a number of equal things (processors, devices): each set of nodes that has enough of
 * them free. Those on as few nodes as would do on an idle machine are preferred.
 */
export function countedHints(options: {
  nodes: NumaNodes;
  request: number;
  /** Where each thing of the machine is, in use or not. */
  all: readonly NumaMask[];
  free: readonly NumaMask[];
  /** What must be among them, because the pod has it already. */
  reusable?: readonly NumaMask[] | undefined;
  /** Preferred although there is a smaller set. */
  isPreferred?: ((mask: NumaMask, fewest: number) => boolean) | undefined;
}): TopologyHint[] {
  const { nodes, request, all, free, reusable = [], isPreferred = () => false } = options;
  const inside = (things: readonly NumaMask[], mask: NumaMask): number =>
    things.filter((thing) => (thing & mask) !== 0).length;
  let fewest = nodes.ids.length;
  const masks: NumaMask[] = [];
  for (const mask of nodes.masks) {
    if (inside(all, mask) >= request) fewest = Math.min(fewest, countNodes(mask));
    if (inside(reusable, mask) < reusable.length) continue;
    if (reusable.length + inside(free, mask) >= request) masks.push(mask);
  }
  return masks.map((mask) => ({
    mask,
    isPreferred: countNodes(mask) === fewest || isPreferred(mask, fewest),
  }));
}
