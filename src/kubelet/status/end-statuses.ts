import type { ContainerState, ContainerStatus, Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';

const lost: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  },
};

export interface PodStatuses {
  readonly containers: ContainerStatus[];
  readonly init: ContainerStatus[];
  readonly ephemeral: ContainerStatus[];
}

/**
 * In a pod that is over nothing waits or runs: containers whose end nobody saw count as failed, in
 * place. Of the init containers only those up to the last that was started had their turn.
 */
export function endStatuses(pod: Pod, { containers, init }: PodStatuses): void {
  if (isInitialized(pod, containers, init)) for (const status of containers) end(status);
  const lastStarted = init.findLastIndex(hasRun);
  for (const status of init.slice(0, Math.max(lastStarted, 0) + 1)) end(status);
}

function end(status: ContainerStatus): void {
  if (status.state?.terminated === undefined) status.state = lost;
}

function hasRun({ state, lastState }: ContainerStatus): boolean {
  return (
    state?.running !== undefined ||
    state?.terminated !== undefined ||
    lastState?.terminated !== undefined
  );
}

function isInitialized(
  pod: Pod,
  containers: readonly ContainerStatus[],
  init: readonly ContainerStatus[],
): boolean {
  if (containers.some(hasRun)) return true;
  return (specOf(pod).initContainers ?? []).every(({ name, restartPolicy }) => {
    const status = init.find((one) => one.name === name);
    if (restartPolicy === 'Always' && status?.started === true) return true;
    return status?.state?.terminated?.exitCode === 0;
  });
}
