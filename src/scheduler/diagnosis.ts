import type { Status } from './framework/status.ts';

const noNodes = 'no nodes available to schedule pods';
const maxEventLength = 1024;

/**
 * Upstream's text for a pod that fits nowhere: `0/3 nodes are available: 2 Insufficient cpu, …`.
 * Reasons are counted over all nodes and sorted as texts.
 */
export function failureMessage(options: {
  nodeCount: number;
  /** Refusals by node. */
  statuses: ReadonlyMap<string, Status>;
  /** Said of all nodes that are not in `statuses`. */
  absentStatus?: Status | undefined;
  /** A reason for all nodes at once, from PreFilter. */
  preFilterMessage?: string | undefined;
  postFilterMessage?: string | undefined;
}): string {
  const { nodeCount, statuses, absentStatus, preFilterMessage, postFilterMessage } = options;
  if (nodeCount === 0) return noNodes;
  const start = `0/${nodeCount} nodes are available`;
  const suffix = postFilterMessage === undefined ? '' : ` ${postFilterMessage}`;
  if (preFilterMessage !== undefined) return `${start}: ${preFilterMessage}.${suffix}`;
  const counts = new Map<string, number>();
  const count = ({ reasons }: Status, times: number): void => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
  };
  for (const status of statuses.values()) count(status, 1);
  const absent = nodeCount - statuses.size;
  if (absentStatus !== undefined && absent > 0) count(absentStatus, absent);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  const filtered = parts.length === 0 ? '' : `: ${parts.join(', ')}.`;
  return `${start}${filtered}${suffix}`;
}

/** Event notes end at 1024 characters. */
export function eventNote(message: string): string {
  return message.length <= maxEventLength ? message : `${message.slice(0, maxEventLength - 4)} ...`;
}
