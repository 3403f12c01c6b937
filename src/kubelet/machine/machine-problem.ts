import { readOptional } from '#host/files.ts';
import { readSysctl } from '#host/sysctl.ts';
import type { MachineInfo } from '../machine-info.ts';
import type { KubeletConfig } from '../kubelet-config.ts';

/**
 * Why this machine may not run a kubelet of this configuration, in upstream's words; undefined when
 * it may.
 */
export async function machineProblem(options: {
  readonly machine: Pick<MachineInfo, 'swapBytes'>;
  readonly cgroupVersion: 1 | 2;
  readonly config: Pick<
    KubeletConfig,
    'failsOnSwap' | 'failsOnCgroupV1' | 'protectsKernelDefaults'
  >;
  /** Set to false by the user, not by default. */
  readonly isGroupOomKillAsked: boolean;
  /** Absent: the kernel's own. */
  readonly readKernelFlag?: ((name: string) => Promise<string | undefined>) | undefined;
}): Promise<string | undefined> {
  const { machine, cgroupVersion, config } = options;
  if (cgroupVersion === 1 && config.failsOnCgroupV1) {
    return 'kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release';
  }
  if (cgroupVersion === 1 && options.isGroupOomKillAsked) {
    return 'invalid configuration: singleProcessOOMKill must not be explicitly set to false when using cgroup v1';
  }
  if (config.protectsKernelDefaults) {
    const flags = await kernelFlagProblems(options.readKernelFlag ?? readSysctl);
    if (flags.length > 0) return `Failed to start ContainerManager [${flags.join(', ')}]`;
  }
  if (!config.failsOnSwap || (machine.swapBytes ?? 0) === 0) return undefined;
  const swaps = ((await readOptional('/proc/swaps')) ?? '').trim().split('\n');
  return `running with swap on is not supported, please disable swap or set --fail-swap-on flag to false. /proc/swaps contained: [${swaps.join(' ')}]`;
}

/** What the kubelet of upstream sets unless it is told to leave the kernel as it is. */
const kernelFlags: readonly (readonly [name: string, value: string])[] = [
  ['vm/overcommit_memory', '1'],
  ['vm/panic_on_oom', '0'],
  ['kernel/panic', '10'],
  ['kernel/panic_on_oops', '1'],
  ['kernel/keys/root_maxkeys', '1000000'],
  ['kernel/keys/root_maxbytes', '25000000'],
];

async function kernelFlagProblems(
  read: (name: string) => Promise<string | undefined>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, expected] of kernelFlags) {
    const actual = (await read(name)) ?? '';
    if (actual === expected) continue;
    problems.push(
      `invalid kernel flag: ${name}, expected value: ${expected}, actual value: ${actual}`,
    );
  }
  return problems;
}
