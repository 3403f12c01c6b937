import type { Container, Pod } from '#schema/types.ts';
import { reasonToKill } from './action-types.ts';
import type { ActionInputs, PodActions } from './action-types.ts';
import { specOf } from './names.ts';
import { isRestartable } from './restart-policy.ts';
import { inSandbox, latestContainer } from './runtime-pod.ts';
import type { RuntimePod } from './runtime-pod.ts';

/** A regular container that was created proves that every init container had its turn. */
export function hasAnyRegularContainer(pod: Pod, runtimePod: RuntimePod): boolean {
  return specOf(pod).containers.some(({ name }) => {
    const state = latestContainer(runtimePod, name)?.state;
    return state !== undefined && state !== 'CONTAINER_UNKNOWN';
  });
}

/**
 * Plans init containers: one after the other, sidecars kept running from their turn on. Returns
 * whether regular containers may be started. Sets killPod when the pod has failed.
 */
export function computeInitActions(all: ActionInputs, actions: PodActions): boolean {
  const { pod } = all;
  // A new sandbox starts from the first init container again: what older ones did is history.
  const runtimePod = inSandbox(all.runtimePod, actions.sandboxId);
  const inputs = { ...all, runtimePod };
  const containers = specOf(pod).initContainers ?? [];
  if (containers.length === 0) return true;
  if (hasAnyRegularContainer(pod, runtimePod)) {
    for (const container of containers) keepSidecarRunning(container, inputs, actions, true);
    return true;
  }
  for (const container of containers) {
    const step = initStep(container, inputs, actions);
    if (step === 'failed') {
      actions.killPod = true;
      actions.initToStart = [];
      return false;
    }
    if (step === 'wait') return false;
  }
  return true;
}

type InitStep = 'passed' | 'wait' | 'failed';

function initStep(container: Container, inputs: ActionInputs, actions: PodActions): InitStep {
  const { pod, runtimePod } = inputs;
  if (container.restartPolicy === 'Always') {
    return keepSidecarRunning(container, inputs, actions, false);
  }
  const status = latestContainer(runtimePod, container.name);
  if (status === undefined) {
    actions.initToStart.push(container);
    return 'wait';
  }
  switch (status.state) {
    case 'CONTAINER_RUNNING':
      if (inputs.changeOf?.(container, status) === 'update') {
        actions.toUpdate.push({ container, status });
      }
      return 'wait';
    case 'CONTAINER_EXITED':
      if (status.exitCode === 0) return 'passed';
      if (!isInitRestartable(container, pod, status.exitCode)) return 'failed';
      actions.initToStart.push(container);
      return 'wait';
    case 'CONTAINER_UNKNOWN':
      if (!isInitRestartable(container, pod, 1)) return 'failed';
      actions.toKill.push({
        status,
        container,
        reason: 'unknown',
        message: 'Init container is in "unknown" state, try killing it before restart',
      });
      actions.initToStart.push(container);
      return 'wait';
    case 'CONTAINER_CREATED':
      actions.initToStart.push(container);
      return 'wait';
  }
}

/** Pod policy Always means OnFailure for init containers. */
export function isInitRestartable(container: Container, pod: Pod, exitCode: number): boolean {
  return exitCode !== 0 && isRestartable(container, pod, exitCode);
}

function keepSidecarRunning(
  container: Container,
  inputs: ActionInputs,
  actions: PodActions,
  isInitialized: boolean,
): InitStep {
  const { pod, runtimePod, probes } = inputs;
  if (container.restartPolicy !== 'Always') return 'passed';
  if (pod.metadata.deletionTimestamp !== undefined) return 'wait';
  const status = latestContainer(runtimePod, container.name);
  if (status === undefined || status.state !== 'CONTAINER_RUNNING') {
    if (status?.state === 'CONTAINER_UNKNOWN') {
      const message = 'Init container is in "unknown" state, try killing it before restart';
      actions.toKill.push({ status, container, reason: 'unknown', message });
    }
    actions.initToStart.push(container);
    // The next one may start right behind it unless its start has to be proven first.
    return 'wait';
  }
  const found = reasonToKill('Init container', container, status, inputs);
  if (found !== undefined) {
    const message =
      found.reason === 'resize' ? found.message : `${found.message}, will be restarted`;
    actions.toKill.push({ status, container, reason: found.reason, message });
    actions.initToStart.push(container);
    return 'wait';
  }
  if (inputs.changeOf?.(container, status) === 'update') {
    actions.toUpdate.push({ container, status });
  }
  const isStarted =
    container.startupProbe === undefined || probes.get('startup', status.id) === 'Success';
  return isInitialized || isStarted ? 'passed' : 'wait';
}
