import type { ContainerStatus, PodSandboxStatus } from '../cri/mod.ts';

/** A container as the runtime describes it, and the sandbox it is in. */
export interface RuntimeContainer extends ContainerStatus {
  readonly sandboxId: string;
}

/** What the runtime has of one pod; newest first. Shared and read-only. */
export interface RuntimePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxes: readonly PodSandboxStatus[];
  readonly containers: readonly RuntimeContainer[];
}

export function emptyRuntimePod(uid: string, name = '', namespace = ''): RuntimePod {
  return { uid, name, namespace, sandboxes: [], containers: [] };
}

export function containerNameOf(status: ContainerStatus): string {
  return status.metadata?.name ?? '';
}

/** The newest container of this name. */
export function latestContainer(pod: RuntimePod, name: string): RuntimeContainer | undefined {
  return pod.containers.find((status) => containerNameOf(status) === name);
}

/** The newest and the one before it. */
export function lastTwoContainers(
  pod: RuntimePod,
  name: string,
): [RuntimeContainer | undefined, RuntimeContainer | undefined] {
  const [latest, previous] = pod.containers.filter((status) => containerNameOf(status) === name);
  return [latest, previous];
}

export function isRunning(status: ContainerStatus | undefined): boolean {
  return status?.state === 'CONTAINER_RUNNING';
}

export function isExited(status: ContainerStatus | undefined): boolean {
  return status?.state === 'CONTAINER_EXITED';
}

/** Containers that may still have processes. */
export function liveContainers(pod: RuntimePod): RuntimeContainer[] {
  return pod.containers.filter(
    ({ state }) => state === 'CONTAINER_RUNNING' || state === 'CONTAINER_UNKNOWN',
  );
}

export function readySandbox(pod: RuntimePod): PodSandboxStatus | undefined {
  return pod.sandboxes.find(({ state }) => state === 'SANDBOX_READY');
}

/** Addresses of the pod's network; none for pods on the host's network. */
export function sandboxIps(sandbox: PodSandboxStatus | undefined): string[] {
  const network = sandbox?.network;
  if (network === undefined || network.ip === '') return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip)];
}

/** Milliseconds of a CRI time. */
export function criTimeMs(nanoseconds: number): number {
  return Math.floor(nanoseconds / 1e6);
}

/** The pod with the containers of one sandbox only. */
export function inSandbox(pod: RuntimePod, sandboxId: string | undefined): RuntimePod {
  return { ...pod, containers: pod.containers.filter((one) => one.sandboxId === sandboxId) };
}
