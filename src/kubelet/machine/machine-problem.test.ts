import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultKubeletConfig } from '../kubelet-config.ts';
import { machineProblem } from './machine-problem.ts';

const fine = {
  machine: { swapBytes: 0 },
  cgroupVersion: 2 as const,
  config: defaultKubeletConfig,
  isGroupOomKillAsked: false,
};

test('a machine that does not fit the configuration is refused in the words of upstream', async () => {
  assert.equal(await machineProblem(fine), undefined);
  const strict = { ...defaultKubeletConfig, failsOnCgroupV1: true, failsOnSwap: true };
  assert.match(
    (await machineProblem({ ...fine, cgroupVersion: 1, config: strict })) ?? '',
    /^kubelet is configured to not run on a host using cgroup v1\./,
  );
  assert.match(
    (await machineProblem({ ...fine, cgroupVersion: 1, isGroupOomKillAsked: true })) ?? '',
    /singleProcessOOMKill must not be explicitly set to false when using cgroup v1$/,
  );
  assert.match(
    (await machineProblem({ ...fine, machine: { swapBytes: 1 }, config: strict })) ?? '',
    /^running with swap on is not supported, please disable swap or set --fail-swap-on flag/,
  );
});

test('with protectKernelDefaults the kernel must be as the kubelet wants it', async () => {
  const config = { ...defaultKubeletConfig, protectsKernelDefaults: true };
  const flags = new Map([
    ['vm/overcommit_memory', '0'],
    ['vm/panic_on_oom', '0'],
    ['kernel/panic', '10'],
    ['kernel/panic_on_oops', '0'],
    ['kernel/keys/root_maxkeys', '1000000'],
    ['kernel/keys/root_maxbytes', '25000000'],
  ]);
  const readKernelFlag = async (name: string) => flags.get(name);
  assert.equal(
    await machineProblem({ ...fine, config, readKernelFlag }),
    'Failed to start ContainerManager [invalid kernel flag: vm/overcommit_memory, expected value: 1, actual value: 0, invalid kernel flag: kernel/panic_on_oops, expected value: 1, actual value: 0]',
  );
  flags.set('vm/overcommit_memory', '1').set('kernel/panic_on_oops', '1');
  assert.equal(await machineProblem({ ...fine, config, readKernelFlag }), undefined);
});
