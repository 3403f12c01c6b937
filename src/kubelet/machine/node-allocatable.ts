import { K3tsError, messageOf } from '#base/errors.ts';
import { cpuSharesFromMilli } from '#host/cgroup-resources.ts';
import type { CgroupResources } from '#host/cgroup-resources.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import { amountValue } from '../pods/resources.ts';

export type EnforcementConfig = Pick<
  KubeletConfig,
  | 'enforceNodeAllocatable'
  | 'kubeReserved'
  | 'systemReserved'
  | 'kubeReservedCgroup'
  | 'systemReservedCgroup'
>;

/** Whether the cgroup of all pods has limits. */
export function enforcesPods({ enforceNodeAllocatable }: EnforcementConfig): boolean {
  return enforceNodeAllocatable.includes('pods');
}

/**
 * Limits the cgroups of the system and of Kubernetes' own programs to what is reserved for them, as
 * enforceNodeAllocatable asks. Answers texts for events. The cgroups must exist: whoever runs the
 * machine makes them. Throws upstream's text, which ends the start.
 */
export async function enforceReserved(
  tree: Pick<CgroupTree, 'exists' | 'update'>,
  config: EnforcementConfig,
): Promise<string[]> {
  const done: string[] = [];
  const kinds = [
    ['system-reserved', 'System', config.systemReservedCgroup, config.systemReserved],
    ['kube-reserved', 'Kube', config.kubeReservedCgroup, config.kubeReserved],
  ] as const;
  for (const [key, shown, path, amounts] of kinds) {
    const isCompressible = config.enforceNodeAllocatable.includes(`${key}-compressible`);
    if (!isCompressible && !config.enforceNodeAllocatable.includes(key)) continue;
    try {
      if (!(await tree.exists(path))) {
        throw new K3tsError('NoCgroup', `"${path}" cgroup does not exist`);
      }
      await tree.update(path, reservedResources(amounts, isCompressible));
    } catch (error) {
      const text = `Failed to enforce ${shown} Reserved Cgroup Limits on "${path}": ${messageOf(error)}`;
      throw new K3tsError('NodeAllocatable', text, { cause: error });
    }
    done.push(`Updated limits on ${shown.toLowerCase()} reserved cgroup ${path}`);
  }
  return done;
}

/** Compressible is what can be taken back at any time: CPU. */
function reservedResources(
  amounts: Readonly<Record<string, string>>,
  isCompressible: boolean,
): CgroupResources {
  const resources: CgroupResources = {};
  if (amounts['cpu'] !== undefined) {
    resources.cpuShares = cpuSharesFromMilli(amountValue(amounts, 'cpu'));
  }
  if (isCompressible) return resources;
  if (amounts['memory'] !== undefined) resources.memoryLimitBytes = amountValue(amounts, 'memory');
  if (amounts['pid'] !== undefined) resources.pidsLimit = amountValue(amounts, 'pid');
  return resources;
}
