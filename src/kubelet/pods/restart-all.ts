import type { Pod, PodStatus } from '#schema/types.ts';
import { containersOf, isSidecar } from './names.ts';
import type { PodContainer } from './names.ts';
import { ruleAction } from './restart-policy.ts';
import { containerNameOf, isExited, latestContainer } from './runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts';

/** Condition type, and reason of the states, of a pod that starts all of its containers again. */
export const allContainersRestarting = 'AllContainersRestarting';
export const restartingAllReason = 'RestartingAllContainers';
export const restartingAllMessage =
  'The container is removed because RestartAllContainers in place';

/** Whether a container of the pod has a rule that restarts all. */
export function couldRestartAll(pod: Pod): boolean {
  return containersOf(pod).some(({ container }) =>
    (container.restartPolicyRules ?? []).some(({ action }) => action === 'RestartAllContainers'),
  );
}

/** Containers that ended with a code whose rule restarts the whole pod in place. */
export function restartAllSources(pod: Pod, runtimePod: RuntimePod): PodContainer[] {
  if (pod.metadata.deletionTimestamp !== undefined || !couldRestartAll(pod)) return [];
  return containersOf(pod).filter(({ container }) => {
    const latest = latestContainer(runtimePod, container.name);
    if (latest === undefined || !isExited(latest)) return false;
    return ruleAction(container, latest.exitCode) === 'RestartAllContainers';
  });
}

/**
 * What has to go before the pod starts over, in order: regular containers, init containers, and
 * last of all the sources, which say that the restart is not done yet. Ephemeral containers stay.
 */
export function containersToReset(
  pod: Pod,
  runtimePod: RuntimePod,
  sources: readonly PodContainer[],
): { of: PodContainer; statuses: RuntimeContainer[] }[] {
  const declared = containersOf(pod).filter(({ kind }) => kind !== 'ephemeralContainers');
  const rank = (of: PodContainer): number => {
    if (sources.some(({ container }) => container.name === of.container.name)) return 3;
    if (isSidecar(of)) return 2;
    return of.kind === 'initContainers' ? 1 : 0;
  };
  return declared
    .map((of) => ({
      of,
      statuses: runtimePod.containers.filter((one) => containerNameOf(one) === of.container.name),
    }))
    .filter(({ statuses }) => statuses.length > 0)
    .sort((a, b) => rank(a.of) - rank(b.of));
}

/** Whether the status reported last says that all containers are being restarted. */
export function isReportedRestartingAll(reported: PodStatus): boolean {
  return (reported.conditions ?? []).some(
    ({ type, status }) => type === allContainersRestarting && status === 'True',
  );
}
