import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod } from '#schema/types.ts';
import { linuxResources } from '../containers/linux-resources.ts';
import { podKey, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { PodContext } from '../pods/pod-context.ts';
import { amountValue } from '../pods/resources.ts';
import type { RuntimeContainer } from '../pods/runtime-pod.ts';

export interface ContainerUpdate {
  readonly container: AnyContainer;
  readonly status: RuntimeContainer;
}

/**
 * Gives running containers the limits that their pod was allocated. Answers whether the runtime
 * took all of them; what it did not is in the pod's conditions and is tried again.
 */
export async function updateContainers(
  pod: Pod,
  updates: readonly ContainerUpdate[],
  context: PodContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { resizes } = context;
  const failures: string[] = [];
  for (const { container, status } of updates) {
    try {
      await checkMemory(container, status, context, signal);
      await updateContainer(pod, container, status, context, signal);
      const { name, resources = {} } = container;
      resizes.updated(uidOf(pod), { id: status.id, name, resources });
    } catch (error) {
      signal.throwIfAborted();
      failures.push(messageOf(error));
    }
  }
  if (failures.length > 0) resizes.failed(pod, failures.join(', '));
  return failures.length === 0;
}

async function updateContainer(
  pod: Pod,
  container: AnyContainer,
  status: RuntimeContainer,
  { runtime, containers }: PodContext,
  signal: AbortSignal,
): Promise<void> {
  const wanted = linuxResources({ ...containers, pod, container });
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes } = wanted;
  const subject = { key: podKey(pod), uid: uidOf(pod), detail: container.name };
  await traced('pod.resize-container', subject, () =>
    runtime.updateContainerResources(
      status.id,
      { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes },
      { signal },
    ),
  );
}

/** A limit below what is in use now would only kill the container. */
async function checkMemory(
  container: AnyContainer,
  status: RuntimeContainer,
  { runtime, resizes }: PodContext,
  signal: AbortSignal,
): Promise<void> {
  const limit = amountValue(container.resources?.limits, 'memory');
  const before = amountValue(resizes.actuated(status)?.limits, 'memory');
  if (limit === 0 || (before !== 0 && limit >= before)) return;
  const [stats] = await runtime.listContainerStats({ id: status.id }, { signal });
  const usage = stats?.memory?.workingSetBytes?.value ?? 0;
  if (usage <= limit) return;
  throw new Error(
    `attempting to set container "${container.name}" memory limit (${limit}) below current usage (${usage})`,
  );
}
