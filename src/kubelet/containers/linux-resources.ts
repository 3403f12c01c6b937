import type { Pod } from '#schema/types.ts';
import type { LinuxResources } from '../cri/mod.ts';
import { isCriticalPod, specOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import { amountValue } from '../pods/resources.ts';

const defaultPeriodUs = 100_000;
const minQuotaUs = 1_000;
const minShares = 2;
const maxShares = 262_144;
const nodeCriticalPriority = 2_000_001_000;

/** cgroup v1 cpu.shares of a request in thousandths of a cpu; runtimes convert it for v2. */
export function cpuShares(milliCpu: number): number {
  if (milliCpu === 0) return minShares;
  return Math.min(Math.max(Math.floor((milliCpu * 1024) / 1000), minShares), maxShares);
}

/** CFS quota in microseconds each period; 0 for no limit. */
export function cpuQuota(milliCpu: number, periodUs = defaultPeriodUs): number {
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

/** What of the node the limits of its containers depend on. */
export interface LinuxResourcesContext {
  readonly memoryBytes: number;
  readonly cgroupVersion: 1 | 2;
  /** False where the kernel has no CFS quota, or nobody wants it. */
  readonly hasCpuQuota: boolean;
  readonly cpuQuotaPeriodUs?: number | undefined;
  /** The container has processors of its own: a quota would only slow it down. */
  readonly hasExclusiveCpus?: ((pod: Pod, container: string) => boolean) | undefined;
  /** 0 on machines without swap. */
  readonly swapBytes: number;
  readonly hasLimitedSwap?: boolean | undefined;
  readonly isSingleProcessOomKill?: boolean | undefined;
  /** Sizes of huge pages that the machine has, as `2MB`; what is not asked for is limited to 0. */
  readonly hugePageSizes?: readonly string[] | undefined;
}

/** Limits of a container for the runtime. */
export function linuxResources(
  options: LinuxResourcesContext & { pod: Pod; container: AnyContainer },
): LinuxResources {
  const { pod, container, memoryBytes, cgroupVersion, hasCpuQuota } = options;
  const periodUs = options.cpuQuotaPeriodUs ?? defaultPeriodUs;
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
    const isExclusive = options.hasExclusiveCpus?.(pod, container.name) === true;
    resources.cpuQuota = isExclusive ? -1 : cpuQuota(cpuLimit, periodUs);
    resources.cpuPeriod = periodUs;
  }
  if (cgroupVersion === 2) {
    resources.unified = {
      ...(options.isSingleProcessOomKill === true ? {} : { 'memory.oom.group': '1' }),
      ...(options.swapBytes > 0 ? { 'memory.swap.max': String(swapLimitBytes(options)) } : {}),
    };
  }
  return { ...resources, ...hugepageLimits(limits, options.hugePageSizes) };
}

/**
 * Swap of a container under LimitedSwap: the share of the machine's swap that its memory request is
 * of the machine's memory. Only for pods of class Burstable that are not critical, and not for
 * containers without a request or with a limit equal to it.
 */
export function swapLimitBytes(
  options: Pick<LinuxResourcesContext, 'memoryBytes' | 'swapBytes' | 'hasLimitedSwap'> & {
    pod: Pod;
    container: AnyContainer;
  },
): number {
  const { pod, container, memoryBytes, swapBytes } = options;
  if (options.hasLimitedSwap !== true || isCriticalPod(pod)) return 0;
  if (podQosClass(pod.spec) !== 'Burstable') return 0;
  const { requests, limits } = container.resources ?? {};
  const request = amountValue(requests, 'memory');
  if (request === 0 || request === amountValue(limits, 'memory')) return 0;
  return Math.floor((request / memoryBytes) * swapBytes);
}

function hugepageLimits(
  limits: Record<string, string> | undefined,
  machineSizes: readonly string[] = [],
): Pick<LinuxResources, 'hugepageLimits'> {
  const bySize = new Map(machineSizes.map((pageSize) => [pageSize, 0]));
  for (const name of Object.keys(limits ?? {})) {
    if (name.startsWith('hugepages-')) bySize.set(pageSizeOf(name), amountValue(limits, name));
  }
  if (bySize.size === 0) return {};
  return { hugepageLimits: [...bySize].map(([pageSize, limit]) => ({ pageSize, limit })) };
}

/** `hugepages-2Mi` is the kernel's `2MB`. */
export function pageSizeOf(resource: string): string {
  return resource.slice('hugepages-'.length).replace(/i?$/, 'B');
}
