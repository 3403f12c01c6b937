import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { hasGrpcCode, grpcCodes } from '../cri/mod.ts';
import type { RuntimeService } from '../cri/mod.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import { containerNameOf } from './runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts';

/** The newest container of each name is always kept; this many dead ones before it, too. */
const keptDead = 1;

/** Dead containers that no status needs. */
export function surplusContainers({ containers }: RuntimePod): RuntimeContainer[] {
  const kept = new Map<string, number>();
  return containers.filter((container) => {
    const name = containerNameOf(container);
    const count = kept.get(name) ?? 0;
    kept.set(name, count + 1);
    return container.state === 'CONTAINER_EXITED' && count > keptDead;
  });
}

/** Removes surplus containers, and sandboxes that are down, replaced and empty. */
export async function collectContainers(options: {
  runtime: RuntimeService;
  cache: RuntimeCache;
  log: Logger;
}): Promise<void> {
  const { runtime, cache } = options;
  for (const pod of cache.pods()) {
    for (const { id } of surplusContainers(pod)) {
      await attempt(options, () => runtime.removeContainer(id));
      cache.dropContainer(id);
    }
    const [, ...older] = pod.sandboxes;
    for (const { id, state } of older) {
      const isEmpty = !cache.pod(pod.uid).containers.some(({ sandboxId }) => sandboxId === id);
      if (state === 'SANDBOX_READY' || !isEmpty) continue;
      await attempt(options, async () => {
        await runtime.stopPodSandbox(id);
        await runtime.removePodSandbox(id);
      });
      cache.dropSandbox(id);
    }
  }
}

async function attempt({ log }: { log: Logger }, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (hasGrpcCode(error, grpcCodes.notFound)) return;
    log.warning('cannot remove a dead container', { error: messageOf(error) });
  }
}
