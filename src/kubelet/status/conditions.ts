import { formatTime } from '#base/clock.ts';
import type { ContainerStatus, Pod, PodCondition } from '#schema/types.ts';
import { isSidecar, specOf } from '../pods/names.ts';
import type { PodPhase } from './phase.ts';

export interface ConditionInputs {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initStatuses: readonly ContainerStatus[];
  readonly hasReadySandbox: boolean;
  /** Conditions as they are on the API server; readiness gates are read from here. */
  readonly known: readonly PodCondition[];
}

type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The kubelet's own conditions in upstream's order, without times. */
export function podConditions(inputs: ConditionInputs): Finding[] {
  const containersReady = containersReadyCondition(inputs);
  return [
    {
      type: 'PodReadyToStartContainers',
      status: inputs.hasReadySandbox ? 'True' : 'False',
    },
    initializedCondition(inputs),
    readyCondition(inputs, containersReady),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ];
}

/** Conditions that only the kubelet sets; those that it does not set any more are taken away. */
export const ownedConditions: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

/** Reason of the condition DisruptionTarget when the kubelet ends a pod. */
export const terminationByKubelet = 'TerminationByKubelet';

function initializedCondition({
  pod,
  phase,
  initStatuses,
  containerStatuses,
}: ConditionInputs): Finding {
  const type = 'Initialized';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  // A regular container that has run proves it, also after a restart of the sandbox.
  const hasStarted = containerStatuses.some(
    ({ state, lastState }) =>
      state?.running !== undefined ||
      state?.terminated !== undefined ||
      lastState?.terminated !== undefined,
  );
  if (hasStarted) return { type, status: 'True' };
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of specOf(pod).initContainers ?? []) {
    const status = initStatuses.find(({ name }) => name === container.name);
    const isDone =
      container.restartPolicy === 'Always' ? status?.started === true : status?.ready === true;
    if (status === undefined) unknown.push(container.name);
    else if (!isDone) incomplete.push(container.name);
  }
  return found(type, 'ContainersNotInitialized', [
    ['unknown', unknown],
    ['incomplete', incomplete],
  ]);
}

function containersReadyCondition({
  pod,
  phase,
  containerStatuses,
  initStatuses,
}: ConditionInputs): Finding {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const unknown: string[] = [];
  const unready: string[] = [];
  const sidecars = (specOf(pod).initContainers ?? []).filter((container) =>
    isSidecar({ container, kind: 'initContainers' }),
  );
  for (const { name } of [...sidecars, ...specOf(pod).containers]) {
    const status = [...initStatuses, ...containerStatuses].find((one) => one.name === name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  }
  return found(type, 'ContainersNotReady', [
    ['unknown', unknown],
    ['unready', unready],
  ]);
}

function found(type: string, reason: string, lists: [string, string[]][]): Finding {
  const messages = lists
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `containers with ${word} status: [${names.join(' ')}]`);
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason, message: messages.join(', ') };
}

function readyCondition({ pod, known }: ConditionInputs, containersReady: Finding): Finding {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' };
  const messages: string[] = [];
  for (const { conditionType } of specOf(pod).readinessGates ?? []) {
    const gate = known.find(({ type }) => type === conditionType);
    if (gate === undefined) {
      messages.push(
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    } else if (gate.status !== 'True') {
      messages.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`,
      );
    }
  }
  if (messages.length === 0) return { type: 'Ready', status: 'True' };
  return {
    type: 'Ready',
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: messages.join(', '),
  };
}

/**
 * Conditions ready to be sent: times kept while the status is the same, generation noted. Others'
 * conditions are left to their owners and not repeated.
 */
export function datedConditions(
  findings: readonly Finding[],
  known: readonly PodCondition[],
  options: { now: string; observedGeneration: number | undefined },
): PodCondition[] {
  return findings.map((finding) => {
    const before = known.find(({ type }) => type === finding.type);
    const isSame = before?.status === finding.status && before.lastTransitionTime !== undefined;
    const condition: PodCondition = {
      type: finding.type,
      status: finding.status,
      lastTransitionTime: isSame ? before.lastTransitionTime : options.now,
    };
    if (options.observedGeneration !== undefined) {
      condition.observedGeneration = options.observedGeneration;
    }
    if (finding.reason !== undefined) condition.reason = finding.reason;
    if (finding.message !== undefined) condition.message = finding.message;
    return condition;
  });
}

/** Conditions of a pod that never starts here: those it came with, and that it is not ready. */
export function rejectedConditions(pod: Pod, nowMs: number): PodCondition[] {
  const known = pod.status?.conditions ?? [];
  const findings = ['Ready', 'ContainersReady'].map((type) => ({
    type,
    status: 'False',
    reason: 'PodFailed',
  }));
  const now = formatTime(nowMs);
  const observedGeneration = pod.metadata.generation;
  const rest = known.filter(({ type }) => findings.every((finding) => finding.type !== type));
  return [...datedConditions(findings, known, { now, observedGeneration }), ...rest];
}
