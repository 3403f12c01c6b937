import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import type { RuntimeService } from '../cri/mod.ts';
import { podKey, uidOf } from '../pods/names.ts';
import { containerNameOf, liveContainers } from '../pods/runtime-pod.ts';
import type { RuntimePod } from '../pods/runtime-pod.ts';
import type { CpuManager } from './exclusive-cpus.ts';

/**
 * Moves running containers to the processors they may use: after each change and in its interval,
 * so that what was changed behind the kubelet's back is put right. Never rejects.
 */
export async function pinContainers(options: {
  readonly cpus: CpuManager;
  readonly runtime: Pick<RuntimeService, 'updateContainerResources'>;
  /** The pods that take resources of the node. */
  readonly pods: () => readonly Pod[];
  /** Uids of those that keep their processors: these pods, and what still runs of others. */
  readonly holders: () => ReadonlySet<string>;
  readonly runtimePod: (uid: string) => RuntimePod;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { cpus, clock, intervalMs, signal } = options;
  if (cpus.policy === 'none') return;
  const pinned = new Map<string, string>();
  let change = new AbortController();
  cpus.onChange(() => change.abort());
  while (!signal.aborted) {
    change = new AbortController();
    cpus.releaseOthers(options.holders());
    await pinOnce(options, pinned);
    const either = AbortSignal.any([signal, change.signal]);
    await clock.sleep(intervalMs, either).catch(() => undefined);
  }
}

async function pinOnce(
  { cpus, runtime, pods, runtimePod, log, signal }: Parameters<typeof pinContainers>[0],
  pinned: Map<string, string>,
): Promise<void> {
  const active = pods();
  const live = new Set<string>();
  for (const pod of active) {
    for (const status of liveContainers(runtimePod(uidOf(pod)))) {
      live.add(status.id);
      const cpusetCpus = cpus.cpusetOf(uidOf(pod), containerNameOf(status));
      if (pinned.get(status.id) === cpusetCpus) continue;
      try {
        await runtime.updateContainerResources(status.id, { cpusetCpus }, { signal });
        pinned.set(status.id, cpusetCpus);
      } catch (error) {
        if (signal.aborted) return;
        const about = { pod: podKey(pod), container: containerNameOf(status) };
        log.warning('cannot move a container to its CPUs', { ...about, error: messageOf(error) });
      }
    }
  }
  for (const id of pinned.keys()) if (!live.has(id)) pinned.delete(id);
}
