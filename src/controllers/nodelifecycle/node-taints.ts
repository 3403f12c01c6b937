import { formatTime } from '#base/clock.ts';
import type { Node, NodeCondition, Taint } from '#schema/types.ts';

export const taintKeys = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
} as const;

/** Which status of which condition makes which taint. */
const conditionTaints: readonly (readonly [string, string, string])[] = [
  ['Ready', 'False', taintKeys.notReady],
  ['Ready', 'Unknown', taintKeys.unreachable],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];

const ownNoSchedule: ReadonlySet<string> = new Set([
  ...conditionTaints.map(([, , key]) => key),
  taintKeys.unschedulable,
]);
const ownNoExecute: ReadonlySet<string> = new Set([taintKeys.notReady, taintKeys.unreachable]);

export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/** The taint that says why pods should leave the node; undefined for a ready one. */
export function evictionTaintKey(node: Node): string | undefined {
  const ready = nodeCondition(node, 'Ready');
  if (ready?.status === 'False') return taintKeys.notReady;
  return ready?.status === 'Unknown' ? taintKeys.unreachable : undefined;
}

/** NoSchedule taints that the node's conditions and spec ask for, by key. */
function wantedNoSchedule(node: Node): Set<string> {
  const keys = conditionTaints
    .filter(([type, status]) => nodeCondition(node, type)?.status === status)
    .map(([, , key]) => key);
  if (node.spec?.unschedulable === true) keys.push(taintKeys.unschedulable);
  return new Set(keys);
}

/**
 * The taints that a node should have; undefined when it has them. Taints of others stay. A
 * NoExecute taint that the node no longer deserves goes, or makes room for the other one at once;
 * the first comes only when `mayEvict`.
 */
export function wantedTaints(node: Node, mayEvict: boolean, nowMs: number): Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const noSchedule = wantedNoSchedule(node);
  const eviction = evictionTaintKey(node);
  const kept = current.filter(({ key, effect }) => {
    if (effect === 'NoSchedule' && ownNoSchedule.has(key)) return noSchedule.delete(key);
    if (effect === 'NoExecute' && ownNoExecute.has(key)) return key === eviction;
    return true;
  });
  const timeAdded = formatTime(nowMs);
  const added: Taint[] = [...noSchedule].map((key) => ({ key, effect: 'NoSchedule', timeAdded }));
  const isEvicting = kept.some(({ key, effect }) => effect === 'NoExecute' && key === eviction);
  if (eviction !== undefined && !isEvicting && (mayEvict || isEvicted(node))) {
    added.push({ key: eviction, effect: 'NoExecute', timeAdded });
  }
  if (kept.length === current.length && added.length === 0) return undefined;
  return [...kept, ...added];
}

/** Whether the node has a NoExecute taint of this controller, whichever. */
export function isEvicted(node: Node): boolean {
  const { taints = [] } = node.spec ?? {};
  return taints.some(({ key, effect }) => effect === 'NoExecute' && ownNoExecute.has(key));
}

/** Without the NoExecute taints of this controller; undefined when there are none. */
export function withoutEvictionTaints(node: Node): Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const kept = current.filter(
    ({ key, effect }) => !(effect === 'NoExecute' && ownNoExecute.has(key)),
  );
  return kept.length === current.length ? undefined : kept;
}
