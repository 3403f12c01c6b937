import { compileNodeAffinity, tolerates } from '#schema/pods/mod.ts';
import type { DaemonSet, Node, Pod, Taint } from '#schema/types.ts';
import { daemonTolerations } from './daemon-pod.ts';

export interface NodeFit {
  /** A pod is made here when there is none. */
  readonly shouldRun: boolean;
  /** A pod that is here may stay. */
  readonly mayStay: boolean;
}

/** Looks at nodes for one set; compiled once, asked for every node. */
export function createNodeFit(set: DaemonSet): (node: Node) => NodeFit {
  const spec = set.spec?.template.spec;
  const wantedNode = spec?.nodeName ?? '';
  const pod: Pod = { metadata: { name: '' }, ...(spec === undefined ? {} : { spec }) };
  const isWanted = compileNodeAffinity(pod);
  const tolerations = daemonTolerations(spec);
  const isBorne = (taint: Taint): boolean => tolerates(tolerations, taint);
  return (node) => {
    const isOther = wantedNode !== '' && wantedNode !== node.metadata.name;
    if (isOther || isWanted?.(node) === false) return { shouldRun: false, mayStay: false };
    const unborne = (node.spec?.taints ?? []).filter((taint) => !isBorne(taint));
    return {
      shouldRun: !unborne.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute'),
      mayStay: !unborne.some(({ effect }) => effect === 'NoExecute'),
    };
  };
}
