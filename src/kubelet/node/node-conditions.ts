import { formatTime } from '#base/clock.ts';
import type { NodeCondition } from '#schema/types.ts';

export interface Pressures {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}

export interface ConditionFacts {
  readonly pressures: Pressures;
  /** Why the node is not ready; empty when it is. */
  readonly problems: readonly string[];
}

type Finding = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

function pressure(
  type: string,
  isBad: boolean,
  bad: [string, string],
  good: [string, string],
): Finding {
  const [reason, message] = isBad ? bad : good;
  return { type, status: isBad ? 'True' : 'False', reason, message };
}

function findings({ pressures, problems }: ConditionFacts): Finding[] {
  const ready: Finding =
    problems.length === 0
      ? {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        }
      : {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`,
        };
  return [
    pressure(
      'MemoryPressure',
      pressures.memory,
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ),
    pressure(
      'DiskPressure',
      pressures.disk,
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ),
    pressure(
      'PIDPressure',
      pressures.pid,
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ),
    ready,
  ];
}

/** The kubelet's conditions, Ready last; lastTransitionTime moves with the status only. */
export function nodeConditions(
  facts: ConditionFacts,
  known: readonly NodeCondition[],
  nowMs: number,
): NodeCondition[] {
  const now = formatTime(nowMs);
  return findings(facts).map((finding) => {
    const before = known.find(({ type }) => type === finding.type);
    const isSame = before?.status === finding.status;
    return {
      ...finding,
      lastHeartbeatTime: now,
      lastTransitionTime: isSame ? (before.lastTransitionTime ?? now) : now,
    };
  });
}

/** The event that a changed condition is worth: reason for `Node n status is now: <reason>`. */
export function conditionEvent({ type, status }: Finding): string {
  if (type === 'Ready') return status === 'True' ? 'NodeReady' : 'NodeNotReady';
  if (type === 'DiskPressure') {
    return status === 'True' ? 'NodeHasDiskPressure' : 'NodeHasNoDiskPressure';
  }
  const what = type === 'MemoryPressure' ? 'Memory' : 'PID';
  return status === 'True' ? `NodeHasInsufficient${what}` : `NodeHasSufficient${what}`;
}
