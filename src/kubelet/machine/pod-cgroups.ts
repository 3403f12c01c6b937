import {
  cpuQuotaFromMilli,
  cpuSharesFromMilli,
  type CgroupResources,
} from '#host/cgroup-resources.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import type { Pod } from '#schema/types.ts';
import { specOf, uidOf } from '../pods/names.ts';
import { podLimits, podQosClass, podRequests, type QosClass } from '#schema/pods/mod.ts';
import { pageSizeOf } from '../containers/linux-resources.ts';
import { amountValue } from '../pods/resources.ts';
import type { PodCgroups } from '../volume-host.ts';

export interface PodCgroupsOptions {
  tree: CgroupTree;
  /** What pods may use together: capacity without what is reserved for the machine. */
  podsMilliCpu: number;
  podsMemoryBytes: number;
  /** Undefined: as many as the kernel allows. */
  podsPidsLimit?: number | undefined;
  /** False: kubepods has no limits of its own; enforceNodeAllocatable without `pods`. */
  isEnforced?: boolean | undefined;
  /** Undefined: as many processes as the machine allows. */
  podPidsLimit?: number | undefined;
  /** False: CPU limits of pods are not set. */
  hasCpuQuota?: boolean | undefined;
  cpuQuotaPeriodUs?: number | undefined;
  /** Some container of the pod has processors of its own: a quota would only slow it down. */
  hasExclusiveCpus?: ((pod: Pod) => boolean) | undefined;
  /** Sizes of the machine's huge pages, as `2MB`; what a pod does not ask for it does not get. */
  hugePageSizes?: readonly string[] | undefined;
}

const root = '/kubepods';
const defaultPeriodUs = 100_000;
const classPaths: Readonly<Record<QosClass, string>> = {
  Guaranteed: root,
  Burstable: `${root}/burstable`,
  BestEffort: `${root}/besteffort`,
};

/** The kubepods tree with the cgroupfs driver, as upstream lays it out. */
export function createPodCgroups(options: PodCgroupsOptions): PodCgroups {
  const { tree } = options;
  const hasHugePages = tree.layout.controllers.has('hugetlb');
  const podOptions = hasHugePages ? options : { ...options, hugePageSizes: [] };
  /** Requested thousandths of a CPU of each burstable pod: their class gets the sum. */
  const burstableMilli = new Map<string, number>();
  let roots: Promise<void> | undefined;

  const createRoots = async (): Promise<void> => {
    const { podsPidsLimit } = options;
    const limits = {
      cpuShares: cpuSharesFromMilli(options.podsMilliCpu),
      memoryLimitBytes: options.podsMemoryBytes,
      ...(podsPidsLimit === undefined ? {} : { pidsLimit: podsPidsLimit }),
    };
    await tree.create(root, options.isEnforced === false ? {} : limits);
    await tree.create(classPaths.BestEffort, { cpuShares: cpuSharesFromMilli(0) });
    await tree.create(classPaths.Burstable);
  };
  /** Once for all pods; a failure is tried again by the next pod. */
  const ensureRoots = (): Promise<void> => {
    roots ??= createRoots().catch((error: unknown) => {
      roots = undefined;
      throw error;
    });
    return roots;
  };
  const updateBurstable = async (): Promise<void> => {
    const milli = [...burstableMilli.values()].reduce((sum, value) => sum + value, 0);
    await tree.update(classPaths.Burstable, { cpuShares: cpuSharesFromMilli(milli) });
  };

  const parentOf = (pod: Pod): string => `${classPaths[podQosClass(pod.spec)]}/pod${uidOf(pod)}`;

  return {
    version: tree.layout.version,
    parentOf,
    prepare: ensureRoots,
    removeContainer: (pod, containerId) => tree.remove(`${parentOf(pod)}/${containerId}`),
    async create(pod) {
      await ensureRoots();
      const qos = podQosClass(pod.spec);
      await tree.create(`${classPaths[qos]}/pod${uidOf(pod)}`, podCgroupResources(pod, podOptions));
      if (qos !== 'Burstable') return;
      const milli = podRequests(pod).get('cpu') ?? 0;
      if (burstableMilli.get(uidOf(pod)) === milli) return;
      burstableMilli.set(uidOf(pod), milli);
      await updateBurstable();
    },
    async remove(podUid) {
      for (const parent of Object.values(classPaths)) await tree.remove(`${parent}/pod${podUid}`);
      if (burstableMilli.delete(podUid)) await updateBurstable();
    },
    async list() {
      const uids = new Set<string>();
      for (const parent of Object.values(classPaths)) {
        for (const name of await tree.children(parent)) {
          if (name.startsWith('pod')) uids.add(name.slice('pod'.length));
        }
      }
      return [...uids];
    },
  };
}

/** Limits of a pod's cgroup: CPU and memory only when every container has them. */
export function podCgroupResources(
  pod: Pod,
  options: Pick<
    PodCgroupsOptions,
    'podPidsLimit' | 'hasCpuQuota' | 'cpuQuotaPeriodUs' | 'hasExclusiveCpus' | 'hugePageSizes'
  >,
): CgroupResources {
  const { podPidsLimit = -1, cpuQuotaPeriodUs: cpuPeriodUs = defaultPeriodUs } = options;
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const shares = cpuSharesFromMilli(requests.get('cpu') ?? 0);
  const limitUs = hasLimitEverywhere(pod, 'cpu')
    ? cpuQuotaFromMilli(limits.get('cpu') ?? 0, cpuPeriodUs)
    : undefined;
  const isFree = options.hasCpuQuota === false || options.hasExclusiveCpus?.(pod) === true;
  // What a pod was given before its containers got processors of their own must go.
  const cpuQuotaUs = limitUs === undefined || !isFree ? limitUs : -1;
  const memory = hasLimitEverywhere(pod, 'memory') ? (limits.get('memory') ?? 0) : 0;
  const pages = new Map((options.hugePageSizes ?? []).map((size) => [size, 0]));
  for (const [name, bytes] of limits) {
    if (name.startsWith('hugepages-')) pages.set(pageSizeOf(name), bytes);
  }
  return {
    cpuShares: shares,
    ...(cpuQuotaUs === undefined ? {} : { cpuQuotaUs, cpuPeriodUs }),
    ...(memory === 0 ? {} : { memoryLimitBytes: memory }),
    ...(podPidsLimit <= 0 ? {} : { pidsLimit: podPidsLimit }),
    ...(pages.size === 0 ? {} : { hugepageLimits: Object.fromEntries(pages) }),
  };
}

function hasLimitEverywhere(pod: Pod, resource: string): boolean {
  const { containers, initContainers = [], resources } = specOf(pod);
  if (amountValue(resources?.limits, resource) > 0) return true;
  return [...containers, ...initContainers].every(
    (container) => amountValue(container.resources?.limits, resource) > 0,
  );
}
