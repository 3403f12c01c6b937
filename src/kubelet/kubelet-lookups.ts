import { isAbsolute, join } from 'node:path';
import type { Pod } from '#schema/types.ts';
import type { HostPaths } from './kubelet-config.ts';
import type { ContainerLookup, Kubelet } from './kubelet-options.ts';
import { namespaceOf, podLogDirectory, uidOf } from './pods/names.ts';
import { orphanPod } from './pods/orphan-pod.ts';
import type { PodRegistry } from './pods/pod-registry.ts';
import type { PodState } from './pods/pod-worker.ts';
import type { RuntimeCache } from './pods/runtime-cache.ts';
import { criTimeMs, lastTwoContainers, liveContainers, readySandbox } from './pods/runtime-pod.ts';
import type { StatusPublisher } from './status/status-publisher.ts';

type Lookups = Pick<
  Kubelet,
  'podByName' | 'podByUid' | 'pods' | 'runningPods' | 'getContainer' | 'sandboxId'
>;

/** Read-only questions about pods, for the kubelet's own API. */
export function kubeletLookups(options: {
  cache: RuntimeCache;
  registry: PodRegistry;
  publisher: StatusPublisher;
  hostPaths: HostPaths;
}): Lookups {
  const { cache, registry, publisher, hostPaths } = options;

  const stateOf = (namespace: string, name: string): PodState | undefined => {
    const found = registry
      .states()
      .filter(({ pod }) => pod.metadata.name === name && namespaceOf(pod) === namespace);
    // A successor of the same name may be there while the old one still goes.
    return found.find(({ stage }) => stage === 'syncing') ?? found.at(-1);
  };
  const withStatus = (state: PodState | undefined): Pod | undefined =>
    state === undefined ? undefined : { ...state.pod, status: publisher.compute(state) };

  return {
    podByName: (namespace, name) => withStatus(stateOf(namespace, name)),
    podByUid: (uid) => withStatus(registry.get(uid)),
    pods: () => registry.states().map((state) => withStatus(state) ?? state.pod),
    runningPods: () =>
      cache
        .pods()
        .filter((pod) => liveContainers(pod).length > 0)
        .map(orphanPod),
    getContainer(namespace, podName, container, { isPrevious = false } = {}) {
      const state = stateOf(namespace, podName);
      if (state === undefined) return undefined;
      const [latest, previous] = lastTwoContainers(cache.pod(uidOf(state.pod)), container);
      const found = isPrevious ? previous : latest;
      if (found === undefined) return undefined;
      const lookup: ContainerLookup = {
        containerId: found.id,
        sandboxId: found.sandboxId,
        logPath: isAbsolute(found.logPath)
          ? found.logPath
          : join(podLogDirectory(hostPaths.podLogs, state.pod), found.logPath),
        state: found.state,
        startedAtMs: criTimeMs(found.startedAt),
        finishedAtMs: criTimeMs(found.finishedAt),
        exitCode: found.exitCode,
      };
      return lookup;
    },
    sandboxId(namespace, podName) {
      const state = stateOf(namespace, podName);
      return state === undefined ? undefined : readySandbox(cache.pod(uidOf(state.pod)))?.id;
    },
  };
}
