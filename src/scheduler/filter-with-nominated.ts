import type { NodeInfo, PodInfo } from './framework/node-info.ts';
import { cloneState } from './framework/plugin.ts';
import type { CycleState } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import { isSuccess } from './framework/status.ts';
import type { Status } from './framework/status.ts';
import type { NominatedPods } from './queue/nominated-pods.ts';

/**
 * The Filter plugins, so that the pod takes no room that a pod of its priority or higher was
 * promised: it must fit with those pods on the node, and also without them, as they may never come.
 */
export function filterWithNominated(options: {
  profile: Profile;
  state: CycleState;
  pod: PodInfo;
  node: NodeInfo;
  nominated: NominatedPods;
  /** The node is the snapshot's own and not a copy to try things out on. */
  isKnownNode: boolean;
}): Status | undefined {
  const { profile, state, pod, node, nominated } = options;
  const priority = pod.pod.spec?.priority ?? 0;
  let crowded: { node: ReturnType<NodeInfo['clone']>; state: CycleState } | undefined;
  for (const other of nominated.on(node.name)) {
    if (other.key === pod.key || (other.pod.spec?.priority ?? 0) < priority) continue;
    crowded ??= { node: node.clone(), state: cloneState(state) };
    crowded.node.addPod(other);
    profile.addPod(crowded.state, pod, other, crowded.node);
  }
  if (crowded !== undefined) {
    const status = profile.filter(crowded.state, pod, crowded.node);
    if (!isSuccess(status)) return status;
  }
  return options.isKnownNode
    ? profile.filterKnown(state, pod, node)
    : profile.filter(state, pod, node);
}
