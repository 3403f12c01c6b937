import { readOptional } from '#host/files.ts';
import type { MachineInfo } from '../machine-info.ts';
import type { KubeletConfig } from '../kubelet-config.ts';

/**
 * Why this machine may not run a kubelet of this configuration, in upstream's words; undefined when
 * it may.
 */
export async function machineProblem(options: {
  readonly machine: Pick<MachineInfo, 'swapBytes'>;
  readonly cgroupVersion: 1 | 2;
  readonly config: Pick<KubeletConfig, 'failsOnSwap' | 'failsOnCgroupV1'>;
  /** Set to false by the user, not by default. */
  readonly isGroupOomKillAsked: boolean;
}): Promise<string | undefined> {
  const { machine, cgroupVersion, config } = options;
  if (cgroupVersion === 1 && config.failsOnCgroupV1) {
    return 'kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release';
  }
  if (cgroupVersion === 1 && options.isGroupOomKillAsked) {
    return 'invalid configuration: singleProcessOOMKill must not be explicitly set to false when using cgroup v1';
  }
  if (!config.failsOnSwap || (machine.swapBytes ?? 0) === 0) return undefined;
  const swaps = ((await readOptional('/proc/swaps')) ?? '').trim().split('\n');
  return `running with swap on is not supported, please disable swap or set --fail-swap-on flag to false. /proc/swaps contained: [${swaps.join(' ')}]`;
}
