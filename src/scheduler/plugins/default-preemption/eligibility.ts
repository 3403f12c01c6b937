import type { Status } from '../../framework/status.ts';
import type { NodeInfo, PodInfo } from '../../framework/node-info.ts';
import type { FailedAttempt } from '../../framework/plugin.ts';
import { priorityOf } from './priority-of.ts';

/** Why the pod may not preempt at all; undefined when it may. */
export function ineligibility(pod: PodInfo, attempt: FailedAttempt): string | undefined {
  const { spec, status } = pod.pod;
  if (spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = status?.nominatedNodeName ?? '';
  if (nominated === '') return undefined;
  // Refused for good meanwhile: the nomination is worth nothing, another node may be.
  if (attempt.statuses.get(nominated)?.code === 'UnschedulableAndUnresolvable') return undefined;
  const node = attempt.snapshot.node(nominated);
  const isDraining = [...(node?.pods.values() ?? [])].some(
    (other) => priorityOf(other) < priorityOf(pod) && isPreempted(other),
  );
  return isDraining ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}

/** Nodes where other pods are in the way, and not something that stays when they leave. */
export function preemptibleNodes(attempt: FailedAttempt): {
  nodes: NodeInfo[];
  hopeless: ReadonlyMap<string, Status>;
} {
  const nodes: NodeInfo[] = [];
  const hopeless = new Map<string, Status>();
  for (const node of attempt.snapshot.nodes) {
    const status = attempt.statuses.get(node.name);
    if (status?.code === 'Unschedulable') nodes.push(node);
    else hopeless.set(node.name, status ?? { code: 'UnschedulableAndUnresolvable', reasons: [] });
  }
  return { nodes, hopeless };
}

function isPreempted({ pod }: PodInfo): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false;
  const target = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  return target?.status === 'True' && target.reason === 'PreemptionByScheduler';
}
