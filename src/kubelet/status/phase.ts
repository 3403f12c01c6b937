import type { Container, ContainerStatus, Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import { isInitRestartable } from '../pods/init-actions.ts';
import { isRestartable } from '../pods/restart-policy.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

interface PhaseInputs {
  readonly pod: Pod;
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initStatuses: readonly ContainerStatus[];
  /** The pod is being finished: what has stopped stays stopped. */
  readonly isTerminal: boolean;
  /** A regular container was created already, so initialization is over. */
  readonly isInitialized: boolean;
}

/** The phase by upstream's rules; a pod that was Failed or Succeeded is the caller's affair. */
export function podPhase(inputs: PhaseInputs): PodPhase {
  const init = initProgress(inputs);
  if (init === 'failed') return 'Failed';
  const counts = { waiting: 0, running: 0, stopped: 0, succeeded: 0, unknown: 0, restartable: 0 };
  for (const { container, status } of countedContainers(inputs)) {
    const state = status?.state;
    const ended = state?.terminated ?? (state?.waiting && status?.lastState?.terminated);
    if (status === undefined) counts.unknown += 1;
    else if (state?.running !== undefined) counts.running += 1;
    else if (ended !== undefined) {
      // A sidecar that ended neither completes nor fails the pod.
      if (
        container.restartPolicy === 'Always' &&
        !specOf(inputs.pod).containers.includes(container)
      ) {
        continue;
      }
      counts.stopped += 1;
      if (ended.exitCode === 0) counts.succeeded += 1;
      if (isRestartable(container, inputs.pod, ended.exitCode)) counts.restartable += 1;
    } else if (state?.waiting !== undefined) counts.waiting += 1;
    else counts.unknown += 1;
  }
  if (init === 'pending' || counts.waiting > 0) return 'Pending';
  if (counts.running > 0 && counts.unknown === 0) return 'Running';
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    const ended = counts.succeeded === counts.stopped ? 'Succeeded' : 'Failed';
    if (inputs.isTerminal) return ended;
    return counts.restartable > 0 ? 'Running' : ended;
  }
  return 'Pending';
}

function countedContainers({ pod, containerStatuses, initStatuses }: PhaseInputs): {
  container: Container;
  status: ContainerStatus | undefined;
}[] {
  const spec = specOf(pod);
  const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  return [
    ...sidecars.map((container) => ({
      container,
      status: initStatuses.find(({ name }) => name === container.name),
    })),
    ...spec.containers.map((container) => ({
      container,
      status: containerStatuses.find(({ name }) => name === container.name),
    })),
  ];
}

function initProgress({
  pod,
  initStatuses,
  isInitialized,
}: PhaseInputs): 'done' | 'pending' | 'failed' {
  let isPending = false;
  for (const container of specOf(pod).initContainers ?? []) {
    const status = initStatuses.find(({ name }) => name === container.name);
    if (container.restartPolicy === 'Always') {
      const hasHistory = status?.lastState?.terminated !== undefined;
      const isWaiting = status?.state?.waiting !== undefined && !hasHistory;
      const isStarted = status?.started === true || status?.state?.terminated !== undefined;
      if (!isInitialized && (status === undefined || isWaiting || !isStarted)) isPending = true;
      continue;
    }
    const ended =
      status?.state?.terminated ??
      (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated);
    if (ended === undefined) {
      if (!isInitialized || status?.state?.running !== undefined) isPending = true;
    } else if (ended.exitCode !== 0) {
      if (!isInitRestartable(container, pod, ended.exitCode)) return 'failed';
      isPending = true;
    } else if (status?.state?.waiting !== undefined && !isInitialized) isPending = true;
  }
  return isPending ? 'pending' : 'done';
}
