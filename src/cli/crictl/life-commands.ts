import { K3tsError } from '#base/errors.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { booleanFlag, integerFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { findOne } from './find.ts';

interface LifeCall {
  readonly cri: CriClient;
  readonly values: FlagValues;
  readonly args: readonly string[];
  readonly stdout: (text: string) => void;
}

/** `crictl stop`: the kubelet starts what it wants to run again. */
export async function stopContainers({ cri, values, args, stdout }: LifeCall): Promise<number> {
  const all = await cri.runtime.listContainers();
  for (const wanted of neededAll(args)) {
    const { id } = findOne('container', all, wanted);
    await cri.runtime.stopContainer(id, integerFlag(values, 'timeout') ?? 0);
    stdout(`${id}\n`);
  }
  return 0;
}

/** `crictl rm`: refuses a running container unless forced. */
export async function removeContainers({ cri, values, args, stdout }: LifeCall): Promise<number> {
  const all = await cri.runtime.listContainers();
  for (const wanted of neededAll(args)) {
    const { id, state } = findOne('container', all, wanted);
    if (state === 'CONTAINER_RUNNING') {
      if (!booleanFlag(values, 'force')) {
        throw new K3tsError('Usage', `container "${id}" is running, please stop it first`);
      }
      await cri.runtime.stopContainer(id, 0);
    }
    await cri.runtime.removeContainer(id);
    stdout(`${id}\n`);
  }
  return 0;
}

/** `crictl stopp`. */
export async function stopPods({ cri, args, stdout }: LifeCall): Promise<number> {
  const all = await cri.runtime.listPodSandbox();
  for (const wanted of neededAll(args)) {
    const { id } = findOne('pod', all, wanted);
    await cri.runtime.stopPodSandbox(id);
    stdout(`Stopped sandbox ${id}\n`);
  }
  return 0;
}

/** `crictl rmp`: refuses a running pod unless forced. */
export async function removePods({ cri, values, args, stdout }: LifeCall): Promise<number> {
  const all = await cri.runtime.listPodSandbox();
  for (const wanted of neededAll(args)) {
    const { id, state } = findOne('pod', all, wanted);
    if (state === 'SANDBOX_READY') {
      if (!booleanFlag(values, 'force')) {
        throw new K3tsError('Usage', `pod sandbox "${id}" is running, please stop it first`);
      }
      await cri.runtime.stopPodSandbox(id);
    }
    await cri.runtime.removePodSandbox(id);
    stdout(`Removed sandbox ${id}\n`);
  }
  return 0;
}

function neededAll(args: readonly string[]): readonly string[] {
  if (args.length === 0) throw new K3tsError('Usage', 'at least one ID or name is needed');
  return args;
}
