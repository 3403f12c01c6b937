import { join } from 'node:path';
import type { Container, EphemeralContainer, Pod, PodSpec } from '#schema/types.ts';

/** Labels by which pods are found again in the runtime, same as upstream's. */
export const runtimeLabels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

/** Annotations of containers in the runtime: what must survive a restart of the kubelet. */
export const runtimeAnnotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  podDeletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
  podTerminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
  /** Requests and limits as JSON: what a resize of the pod is compared with. */
  resources: 'k3ts.io/container.resources',
} as const;

export const podAnnotations = {
  source: 'kubernetes.io/config.source',
  seen: 'kubernetes.io/config.seen',
  hash: 'kubernetes.io/config.hash',
  mirror: 'kubernetes.io/config.mirror',
} as const;

export type AnyContainer = Container | EphemeralContainer;

export type ContainerKind = 'containers' | 'initContainers' | 'ephemeralContainers';

export interface PodContainer {
  readonly container: AnyContainer;
  readonly kind: ContainerKind;
}

const noSpec: PodSpec = { containers: [] };

/** The spec; pods of the API always have one. */
export function specOf(pod: Pod): PodSpec {
  return pod.spec ?? noSpec;
}

export function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? '';
}

export function namespaceOf(pod: Pod): string {
  return pod.metadata.namespace ?? 'default';
}

/** `name_namespace(uid)`, as in upstream's events and messages. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${namespaceOf(pod)}(${uidOf(pod)})`;
}

/** Storage-like key for logs and traces. */
export function podKey(pod: Pod): string {
  return `pods/${namespaceOf(pod)}/${pod.metadata.name}`;
}

/** All containers: init, regular, ephemeral. */
export function containersOf(pod: Pod): PodContainer[] {
  const spec = specOf(pod);
  const of = (kind: ContainerKind): PodContainer[] =>
    (spec[kind] ?? []).map((container) => ({ container, kind }));
  return [...of('initContainers'), ...of('containers'), ...of('ephemeralContainers')];
}

export function findContainer(pod: Pod, name: string): PodContainer | undefined {
  return containersOf(pod).find(({ container }) => container.name === name);
}

/** An init container with restart policy Always. */
export function isSidecar({ container, kind }: PodContainer): boolean {
  return kind === 'initContainers' && container.restartPolicy === 'Always';
}

/** `spec.containers{name}`, the part of the pod that an event is about. */
export function fieldPathOf({ container, kind }: PodContainer): string {
  return `spec.${kind}{${container.name}}`;
}

export function podLogDirectory(logsRoot: string, pod: Pod): string {
  return join(logsRoot, `${namespaceOf(pod)}_${pod.metadata.name}_${uidOf(pod)}`);
}

export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[podAnnotations.source];
  return source !== undefined && source !== 'api';
}

export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata.annotations?.[podAnnotations.mirror] !== undefined;
}

const systemCriticalPriority = 2_000_000_000;

export function isCriticalPod(pod: Pod): boolean {
  return (
    isStaticPod(pod) || isMirrorPod(pod) || (specOf(pod).priority ?? 0) >= systemCriticalPriority
  );
}
