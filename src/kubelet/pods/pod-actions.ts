import type { Pod } from '#schema/types.ts';
import { reasonToKill } from './action-types.ts';
import type { ActionInputs, PodActions } from './action-types.ts';
import { specOf } from './names.ts';
import { computeInitActions } from './init-actions.ts';
import { containersToReset, restartAllSources } from './restart-all.ts';
import { isRestartable, isRestartedAfterKill, shouldBeRestarted } from './restart-policy.ts';
import { isRunning, latestContainer, sandboxIps } from './runtime-pod.ts';
import type { RuntimePod } from './runtime-pod.ts';

/** Compares what the pod asks for with what the runtime has. Pure; the rules are upstream's. */
export function computePodActions(inputs: ActionInputs): PodActions {
  const { pod, runtimePod } = inputs;
  const sandbox = sandboxNeeds(pod, runtimePod);
  const actions: PodActions = {
    killPod: sandbox.isNewNeeded,
    createSandbox: sandbox.isNewNeeded,
    sandboxId: sandbox.id,
    attempt: sandbox.attempt,
    toKill: [],
    toReset: [],
    toUpdate: [],
    ephemeralToStart: [],
    initToStart: [],
    toStart: [],
  };
  if (sandbox.isNewNeeded) {
    planNewSandbox(inputs, actions);
    return actions;
  }
  const sources = restartAllSources(pod, runtimePod);
  if (sources.length > 0) {
    actions.toReset = containersToReset(pod, runtimePod, sources);
    return actions;
  }
  for (const container of specOf(pod).ephemeralContainers ?? []) {
    if (latestContainer(runtimePod, container.name) === undefined) {
      actions.ephemeralToStart.push(container);
    }
  }
  const isInitialized = computeInitActions(inputs, actions);
  if (actions.killPod || !isInitialized) return actions;
  planRegular(inputs, actions);
  return actions;
}

/** Whether a new sandbox is needed, why being visible in the conditions checked here. */
export function sandboxNeeds(
  pod: Pod,
  runtimePod: RuntimePod,
): { isNewNeeded: boolean; attempt: number; id: string | undefined } {
  const [latest] = runtimePod.sandboxes;
  if (latest === undefined) return { isNewNeeded: true, attempt: 0, id: undefined };
  const attempt = latest.metadata?.attempt ?? 0;
  const readyCount = runtimePod.sandboxes.filter((one) => one.state === 'SANDBOX_READY').length;
  const needNew = { isNewNeeded: true, attempt: attempt + 1, id: latest.id };
  if (readyCount > 1 || latest.state !== 'SANDBOX_READY') return needNew;
  const isHostNetwork = specOf(pod).hostNetwork === true;
  const network = latest.linux?.namespaces?.options?.network;
  if (network !== undefined && network !== (isHostNetwork ? 'NODE' : 'POD')) {
    return { ...needNew, id: undefined };
  }
  if (!isHostNetwork && sandboxIps(latest).length === 0) return needNew;
  return { isNewNeeded: false, attempt, id: latest.id };
}

function planNewSandbox({ pod, runtimePod }: ActionInputs, actions: PodActions): void {
  const spec = specOf(pod);
  const policy = spec.restartPolicy ?? 'Always';
  const hasRun = actions.attempt !== 0 && runtimePod.containers.length > 0;
  if (
    policy === 'Never' &&
    hasRun &&
    !spec.containers.some((one) => one.restartPolicy !== undefined)
  ) {
    // The pod is over; its containers are not started in another sandbox.
    actions.createSandbox = false;
    return;
  }
  const toStart = spec.containers.filter((container) => {
    const status = latestContainer(runtimePod, container.name);
    if (status?.state !== 'CONTAINER_EXITED') return true;
    return isRestartable(container, pod, status.exitCode);
  });
  if (toStart.length === 0) {
    actions.createSandbox = false;
    return;
  }
  const [firstInit] = spec.initContainers ?? [];
  if (firstInit !== undefined) actions.initToStart = [firstInit];
  else actions.toStart = toStart;
}

function planRegular(inputs: ActionInputs, actions: PodActions): void {
  const { pod, runtimePod } = inputs;
  let keptCount = 0;
  for (const container of specOf(pod).containers) {
    const status = latestContainer(runtimePod, container.name);
    if (status === undefined || !isRunning(status)) {
      if (!shouldBeRestarted(container, pod, runtimePod)) continue;
      actions.toStart.push(container);
      if (status?.state === 'CONTAINER_UNKNOWN') {
        const message = 'Container is in "unknown" state, try killing it before restart';
        actions.toKill.push({ status, container, reason: 'unknown', message });
      }
      continue;
    }
    const found = reasonToKill('Container', container, status, inputs);
    if (found === undefined) {
      keptCount += 1;
      if (inputs.changeOf?.(container, status) === 'update') {
        actions.toUpdate.push({ container, status });
      }
      continue;
    }
    const isAsked = found.reason === 'changed' || found.reason === 'resize';
    const isRestarted = isAsked || isRestartedAfterKill(container, pod);
    if (isRestarted) actions.toStart.push(container);
    const message =
      isRestarted && found.reason !== 'resize'
        ? `${found.message}, will be restarted`
        : found.message;
    actions.toKill.push({ status, container, reason: found.reason, message });
  }
  if (keptCount === 0 && actions.toStart.length === 0) {
    actions.killPod = true;
    actions.initToStart = [];
  }
}
