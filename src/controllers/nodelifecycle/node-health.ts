import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import type { Lease, Node, NodeCondition } from '#schema/types.ts';
import { nodeCondition } from './node-taints.ts';

/** Conditions that a silent node no longer speaks for. */
const reported = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

interface Sign {
  readonly renewTime: string | undefined;
  readonly heartbeat: string | undefined;
  /** By our own clock, as nodes' clocks may differ. */
  readonly seenMs: number;
}

/** Remembers when each node last gave a sign of life: a renewed Lease or a newer status. */
export interface NodeHealth {
  /** Conditions to write when the node has been silent for too long; undefined when all is well. */
  check(node: Node, lease: Lease | undefined): NodeCondition[] | undefined;
  forget(name: string): void;
  /** Gives every node its whole time again. */
  restart(): void;
}

/** `startupGraceMs` is for nodes that never said whether they are ready. */
export function createNodeHealth(
  clock: Clock,
  { graceMs, startupGraceMs }: { graceMs: number; startupGraceMs: number },
): NodeHealth {
  const signs = new Map<string, Sign>();
  return {
    check(node, lease) {
      const { name } = node.metadata;
      const ready = nodeCondition(node, 'Ready');
      const renewTime = lease?.spec?.renewTime;
      const heartbeat = ready?.lastHeartbeatTime;
      const old = signs.get(name);
      if (old === undefined || isNewer(renewTime, old.renewTime) || heartbeat !== old.heartbeat) {
        const isFirst = old === undefined;
        // Our own change of the conditions to Unknown is no sign of life.
        const isAlive = isFirst || ready?.status !== 'Unknown' || isNewer(renewTime, old.renewTime);
        const seenMs = isAlive ? clock.monotonicMs() : old.seenMs;
        signs.set(name, { renewTime: renewTime ?? old?.renewTime, heartbeat, seenMs });
      }
      const silentMs = clock.monotonicMs() - (signs.get(name)?.seenMs ?? 0);
      if (silentMs <= (ready === undefined ? startupGraceMs : graceMs)) return undefined;
      return silencedConditions(node, clock.now());
    },
    forget: (name) => void signs.delete(name),
    restart() {
      const seenMs = clock.monotonicMs();
      for (const [name, sign] of signs) signs.set(name, { ...sign, seenMs });
    },
  };
}

function isNewer(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && (b === undefined || Date.parse(a) > Date.parse(b));
}

function silencedConditions(node: Node, nowMs: number): NodeCondition[] | undefined {
  const now = formatTime(nowMs);
  const conditions = node.status?.conditions ?? [];
  if (reported.every((type) => nodeCondition(node, type)?.status === 'Unknown')) return undefined;
  const silenced = reported.map((type): NodeCondition => {
    const old = nodeCondition(node, type);
    if (old === undefined) {
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      };
    }
    if (old.status === 'Unknown') return old;
    return {
      ...old,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    };
  });
  const known = conditions.map((old) => silenced.find(({ type }) => type === old.type) ?? old);
  return [...known, ...silenced.filter(({ type }) => nodeCondition(node, type) === undefined)];
}
