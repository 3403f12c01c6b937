import type { Pod } from '#schema/types.ts';
import type { AnyContainer } from './names.ts';
import { specOf } from './names.ts';
import type { RuntimePod } from './runtime-pod.ts';
import { latestContainer } from './runtime-pod.ts';

export type RestartAction = 'Restart' | 'RestartAllContainers';

/** What the first rule that fits the exit code says; undefined when the policies decide. */
export function ruleAction(container: AnyContainer, exitCode: number): RestartAction | undefined {
  for (const { exitCodes, action } of container.restartPolicyRules ?? []) {
    const isIn = (exitCodes?.values ?? []).includes(exitCode);
    const isMatch = exitCodes?.operator === 'NotIn' ? !isIn : isIn;
    if (isMatch && (action === 'Restart' || action === 'RestartAllContainers')) return action;
  }
  return undefined;
}

/** Whether a container that ended with this code is started again: rules, then own policy, then pod. */
export function isRestartable(container: AnyContainer, pod: Pod, exitCode: number): boolean {
  if (ruleAction(container, exitCode) !== undefined) return true;
  const policy = container.restartPolicy ?? specOf(pod).restartPolicy ?? 'Always';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}

/** Whether the next sync must start this container: never ran, lost, or ended and restartable. */
export function shouldBeRestarted(
  container: AnyContainer,
  pod: Pod,
  runtimePod: RuntimePod,
): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const status = latestContainer(runtimePod, container.name);
  if (status === undefined) return true;
  if (status.state === 'CONTAINER_RUNNING') return false;
  // A container in these states never ran to its end, so its exit code says nothing.
  if (status.state === 'CONTAINER_UNKNOWN' || status.state === 'CONTAINER_CREATED') return true;
  return isRestartable(container, pod, status.exitCode);
}

/** Whether a running container that must be killed is started again. */
export function isRestartedAfterKill(container: AnyContainer, pod: Pod): boolean {
  return (container.restartPolicy ?? specOf(pod).restartPolicy ?? 'Always') !== 'Never';
}
