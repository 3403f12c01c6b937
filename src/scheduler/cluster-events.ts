import type { Node } from '#schema/types.ts';
import type { ClusterEvent } from './framework/happening.ts';

/** What changed between two states of a node, as far as placing pods cares. */
export function nodeEvents(before: Node, after: Node): ClusterEvent[] {
  const events: ClusterEvent[] = [];
  if (differ(before.status?.allocatable, after.status?.allocatable)) {
    events.push('Node/UpdateAllocatable');
  }
  if (differ(before.metadata.labels, after.metadata.labels)) events.push('Node/UpdateLabel');
  const isCordonChanged = before.spec?.unschedulable !== after.spec?.unschedulable;
  if (isCordonChanged || differ(before.spec?.taints, after.spec?.taints)) {
    events.push('Node/UpdateTaint');
  }
  if (differ(before.status?.declaredFeatures, after.status?.declaredFeatures)) {
    events.push('Node/UpdateDeclaredFeature');
  }
  return events;
}

export function differ(a: unknown, b: unknown): boolean {
  return a !== b && JSON.stringify(a) !== JSON.stringify(b);
}
