import type { Pod } from '#schema/types.ts';
import type { Snapshot, VictimsByNode } from '../framework/plugin.ts';
import type { Extender } from './extender.ts';

/**
 * Asks the extenders one after the other which nodes may be cleared for the pod. One that fails and
 * may not be ignored leaves none. Undefined when none wants to be asked.
 */
export function narrowVictims(
  extenders: readonly Extender[],
  pod: Pod,
  snapshot: Snapshot,
): ((victims: VictimsByNode) => Promise<VictimsByNode>) | undefined {
  const asked = extenders.filter((extender) => extender.canPreempt && extender.isInterestedIn(pod));
  if (asked.length === 0) return undefined;
  return async (victims) => {
    let left = victims;
    for (const extender of asked) {
      try {
        left = await extender.preempt(
          pod,
          left,
          (nodeName) => snapshot.node(nodeName)?.pods.values() ?? [],
        );
      } catch (error) {
        if (!extender.isIgnorable) throw error;
      }
      if (left.size === 0) return left;
    }
    return left;
  };
}
