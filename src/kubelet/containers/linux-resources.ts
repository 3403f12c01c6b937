import type { Pod } from '#schema/types.ts';
import type { LinuxResources } from '../cri/mod.ts';
import { isCriticalPod, specOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import { amountValue } from '../pods/resources.ts';

const periodUs = 100_000;
const minQuotaUs = 1_000;
const minShares = 2;
const maxShares = 262_144;
const nodeCriticalPriority = 2_000_001_000;

/** cgroup v1 cpu.shares of a request in thousandths of a cpu; runtimes convert it for v2. */
export function cpuShares(milliCpu: number): number {
  if (milliCpu === 0) return minShares;
  return Math.min(Math.max(Math.floor((milliCpu * 1024) / 1000), minShares), maxShares);
}

/** CFS quota in microseconds each 100 ms; 0 for no limit. */
export function cpuQuota(milliCpu: number): number {
  if (milliCpu === 0) return 0;
  return Math.max(Math.floor((milliCpu * periodUs) / 1000), minQuotaUs);
}

/** How early the kernel kills it when memory runs out, as upstream computes it. */
export function oomScoreAdj(pod: Pod, container: AnyContainer, memoryBytes: number): number {
  if ((specOf(pod).priority ?? 0) >= nodeCriticalPriority) return -997;
  if (isCriticalPod(pod) && specOf(pod).priority === undefined) return -997;
  const qos = podQosClass(pod.spec);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = 1000 - Math.floor((1000 * memoryRequest(container)) / memoryBytes);
  const isSidecarInit =
    container.restartPolicy === 'Always' &&
    (specOf(pod).initContainers ?? []).some(({ name }) => name === container.name);
  let bounded = score < 3 ? 3 : score === 1000 ? 999 : score;
  if (isSidecarInit) {
    const smallest = Math.min(...specOf(pod).containers.map(memoryRequest));
    const regular = 1000 - Math.floor((1000 * smallest) / memoryBytes);
    bounded = Math.min(bounded, Math.max(3, Math.min(regular, 999)));
  }
  return bounded;
}

function memoryRequest({ resources }: AnyContainer): number {
  const request = amountValue(resources?.requests, 'memory');
  return request === 0 ? amountValue(resources?.limits, 'memory') : request;
}

/** Limits of a container for the runtime. `hasCpuQuota` is false where the kernel has no CFS quota. */
export function linuxResources(options: {
  pod: Pod;
  container: AnyContainer;
  memoryBytes: number;
  cgroupVersion: 1 | 2;
  hasCpuQuota: boolean;
  hasSwap: boolean;
}): LinuxResources {
  const { pod, container, memoryBytes, cgroupVersion, hasCpuQuota } = options;
  const { requests, limits } = container.resources ?? {};
  const cpuLimit = amountValue(limits, 'cpu');
  const cpuRequest = requests?.['cpu'] === undefined ? cpuLimit : amountValue(requests, 'cpu');
  const memoryLimit = amountValue(limits, 'memory');
  const resources: LinuxResources = {
    cpuShares: cpuShares(cpuRequest),
    memoryLimitInBytes: memoryLimit,
    oomScoreAdj: oomScoreAdj(pod, container, memoryBytes),
  };
  if (hasCpuQuota && cpuLimit > 0) {
    resources.cpuQuota = cpuQuota(cpuLimit);
    resources.cpuPeriod = periodUs;
  }
  if (cgroupVersion === 2) {
    resources.unified = {
      'memory.oom.group': '1',
      // Pods get no swap, as upstream's default NoSwap.
      ...(options.hasSwap ? { 'memory.swap.max': '0' } : {}),
    };
  }
  return { ...resources, ...hugepageLimits(limits) };
}

function hugepageLimits(
  limits: Record<string, string> | undefined,
): Pick<LinuxResources, 'hugepageLimits'> {
  const names = Object.keys(limits ?? {}).filter((name) => name.startsWith('hugepages-'));
  if (names.length === 0) return {};
  return {
    hugepageLimits: names.map((name) => ({
      pageSize: name.slice('hugepages-'.length).replace(/i?$/, 'B'),
      limit: amountValue(limits, name),
    })),
  };
}
