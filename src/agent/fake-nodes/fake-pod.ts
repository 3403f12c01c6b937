import { formatTime } from '#base/clock.ts';
import type { ContainerStatus, Pod, PodStatus } from '#schema/types.ts';

/** What a kubelet says of a pod all of whose containers run and are ready. */
export function runningStatus(pod: Pod, hostIp: string, podIp: string, nowMs: number): PodStatus {
  const time = formatTime(nowMs);
  const statuses = (pod.spec?.containers ?? []).map(({ name, image = '' }): ContainerStatus => ({
    name,
    image,
    imageID: `fake://${image}`,
    containerID: `fake://${pod.metadata.uid ?? ''}/${name}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: time } },
  }));
  const conditions = ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready'].map(
    (type) => ({
      type,
      status: 'True',
      lastTransitionTime: time,
      observedGeneration: pod.metadata.generation,
    }),
  );
  return {
    phase: 'Running',
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime: time,
    conditions,
    containerStatuses: statuses,
    observedGeneration: pod.metadata.generation,
  };
}
