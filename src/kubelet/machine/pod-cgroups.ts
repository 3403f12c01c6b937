import {
  cpuQuotaFromMilli,
  cpuSharesFromMilli,
  type CgroupResources,
} from '#host/cgroup-resources.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import type { Pod } from '#schema/types.ts';
import { specOf, uidOf } from '../pods/names.ts';
import { podLimits, podQosClass, podRequests, type QosClass } from '#schema/pods/mod.ts';
import { amountValue } from '../pods/resources.ts';
import type { PodCgroups } from '../volume-host.ts';

export interface PodCgroupsOptions {
  tree: CgroupTree;
  /** What pods may use together: capacity without what is reserved for the machine. */
  podsMilliCpu: number;
  podsMemoryBytes: number;
  /** Undefined: as many processes as the machine allows. */
  podPidsLimit?: number | undefined;
}

const root = '/kubepods';
const periodUs = 100_000;
const classPaths: Readonly<Record<QosClass, string>> = {
  Guaranteed: root,
  Burstable: `${root}/burstable`,
  BestEffort: `${root}/besteffort`,
};

/** The kubepods tree with the cgroupfs driver, as upstream lays it out. */
export function createPodCgroups(options: PodCgroupsOptions): PodCgroups {
  const { tree, podPidsLimit } = options;
  /** Requested thousandths of a CPU of each burstable pod: their class gets the sum. */
  const burstableMilli = new Map<string, number>();
  let roots: Promise<void> | undefined;

  const createRoots = async (): Promise<void> => {
    await tree.create(root, {
      cpuShares: cpuSharesFromMilli(options.podsMilliCpu),
      memoryLimitBytes: options.podsMemoryBytes,
    });
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
    removeContainer: (pod, containerId) => tree.remove(`${parentOf(pod)}/${containerId}`),
    async create(pod) {
      await ensureRoots();
      const qos = podQosClass(pod.spec);
      await tree.create(
        `${classPaths[qos]}/pod${uidOf(pod)}`,
        podCgroupResources(pod, podPidsLimit),
      );
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
export function podCgroupResources(pod: Pod, pidsLimit: number | undefined): CgroupResources {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const shares = cpuSharesFromMilli(requests.get('cpu') ?? 0);
  const quotaUs = hasLimitEverywhere(pod, 'cpu')
    ? cpuQuotaFromMilli(limits.get('cpu') ?? 0, periodUs)
    : undefined;
  const memory = hasLimitEverywhere(pod, 'memory') ? (limits.get('memory') ?? 0) : 0;
  const hugepages = [...limits].filter(([name]) => name.startsWith('hugepages-'));
  return {
    cpuShares: shares,
    ...(quotaUs === undefined ? {} : { cpuQuotaUs: quotaUs, cpuPeriodUs: periodUs }),
    ...(memory === 0 ? {} : { memoryLimitBytes: memory }),
    ...(pidsLimit === undefined || pidsLimit <= 0 ? {} : { pidsLimit }),
    ...(hugepages.length === 0
      ? {}
      : {
          hugepageLimits: Object.fromEntries(
            hugepages.map(([name, bytes]) => [pageSizeOf(name), bytes]),
          ),
        }),
  };
}

/** `hugepages-2Mi` is the kernel's `2MB`. */
function pageSizeOf(resource: string): string {
  return resource.slice('hugepages-'.length).replace(/i?$/, 'B');
}

function hasLimitEverywhere(pod: Pod, resource: string): boolean {
  const { containers, initContainers = [], resources } = specOf(pod);
  if (amountValue(resources?.limits, resource) > 0) return true;
  return [...containers, ...initContainers].every(
    (container) => amountValue(container.resources?.limits, resource) > 0,
  );
}
