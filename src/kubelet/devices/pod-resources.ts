import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import type { Pod } from '#schema/types.ts';
import type { MessageTables } from '../cri/message-codec.ts';
import { namespaceOf, specOf, uidOf } from '../pods/names.ts';
import type { CpuManager } from '../cpus/mod.ts';
import type { MemoryManager } from '../memory/mod.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { DeviceStore } from './device-store.ts';
import { serveOnSocket } from './grpc-server.ts';
import type { GrpcMethod } from './grpc-server.ts';

/** podresources.v1: monitoring agents ask here which container has which device. */
const tables: MessageTables = {
  messageFields: {
    Empty: '',
    ListResponse: '1 pod_resources PodResources[]',
    PodResources: '1 name string, 2 namespace string, 3 containers ContainerResources[]',
    ContainerResources:
      '1 name string, 2 devices ContainerDevices[], 3 cpu_ids int64[], 4 memory ContainerMemory[]',
    ContainerMemory: '1 memory_type string, 2 size uint64, 3 topology Topology',
    ContainerDevices: '1 resource_name string, 2 device_ids string[], 3 topology Topology',
    Topology: '1 nodes NumaNode[]',
    NumaNode: '1 id int64',
    AllocatableResponse:
      '1 devices ContainerDevices[], 2 cpu_ids int64[], 3 memory ContainerMemory[]',
    GetRequest: '1 pod_name string, 2 pod_namespace string',
    GetResponse: '1 pod_resources PodResources',
  },
  enumValues: {},
};

const service = '/v1.PodResourcesLister';

type CountedMethod = keyof KubeletMetrics['podResources']['requests'];

/** Serves until closed; `socketPath` is usually /var/lib/kubelet/pod-resources/kubelet.sock. */
export async function servePodResources(options: {
  socketPath: string;
  store: DeviceStore;
  cpus?: Pick<CpuManager, 'exclusive' | 'allocatable'> | undefined;
  memory?: Pick<MemoryManager, 'blocks' | 'allocatable'> | undefined;
  metrics?: KubeletMetrics['podResources'] | undefined;
  /** Pods that are not over. */
  pods: () => readonly Pod[];
}): Promise<{ close(): Promise<void> }> {
  const { socketPath, store, cpus, memory, metrics, pods } = options;
  /** Counts the calls of a method and its failures. */
  const counted = (name: CountedMethod, { types, answer }: GrpcMethod): GrpcMethod => ({
    types,
    answer(request) {
      if (metrics === undefined) return answer(request);
      metrics.all.with('v1').value += 1;
      metrics.requests[name].with('v1').value += 1;
      try {
        return answer(request);
      } catch (error) {
        metrics.errors[name].with('v1').value += 1;
        throw error;
      }
    },
  });
  const resourcesOf = (pod: Pod): object => ({
    name: pod.metadata.name,
    namespace: namespaceOf(pod),
    containers: containersOf(pod).map((name) => ({
      name,
      devices: [...store.allocation(uidOf(pod), name)].map(([resourceName, deviceIds]) => ({
        resourceName,
        deviceIds,
        topology: topologyOf(store, resourceName, deviceIds),
      })),
      cpuIds: cpus?.exclusive(uidOf(pod), name) ?? [],
      memory: (memory?.blocks(uidOf(pod), name) ?? []).map(shownBlock),
    })),
  });
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o750 });
  return await serveOnSocket({
    socketPath,
    tables,
    methods: {
      [`${service}/List`]: counted('List', {
        types: ['Empty', 'ListResponse'],
        answer: () => ({ podResources: pods().map(resourcesOf) }),
      }),
      [`${service}/GetAllocatableResources`]: counted('GetAllocatableResources', {
        types: ['Empty', 'AllocatableResponse'],
        answer: () => ({
          cpuIds: cpus?.allocatable() ?? [],
          memory: (memory?.allocatable() ?? []).map(shownBlock),
          devices: store.resources().flatMap((resourceName) =>
            store.healthy(resourceName).map(({ id }) => ({
              resourceName,
              deviceIds: [id],
              topology: topologyOf(store, resourceName, [id]),
            })),
          ),
        }),
      }),
      [`${service}/Get`]: counted('Get', {
        types: ['GetRequest', 'GetResponse'],
        answer(request) {
          const { podName, podNamespace } = request as { podName: string; podNamespace: string };
          const pod = pods().find(
            (one) => one.metadata.name === podName && namespaceOf(one) === podNamespace,
          );
          if (pod !== undefined) return { podResources: resourcesOf(pod) };
          throw new K3tsError('NotFound', `pod ${podName} in namespace ${podNamespace} not found`);
        },
      }),
    },
  });
}

/** Sidecars run with the others; init containers that end are not listed, as upstream. */
function containersOf(pod: Pod): string[] {
  const { initContainers = [], containers } = specOf(pod);
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...containers].map(({ name }) => name);
}

function shownBlock({ type, size, numaAffinity }: ReturnType<MemoryManager['blocks']>[number]) {
  return { memoryType: type, size, topology: { nodes: numaAffinity.map((id) => ({ id })) } };
}

function topologyOf(
  store: DeviceStore,
  resource: string,
  ids: readonly string[],
): { nodes: { id: number }[] } | undefined {
  const nodes = store
    .healthy(resource)
    .filter(({ id }) => ids.includes(id))
    .flatMap(({ topology }) => topology?.nodes ?? []);
  const numbers = [...new Set(nodes.map(({ id }) => id))].sort();
  return numbers.length === 0 ? undefined : { nodes: numbers.map((id) => ({ id })) };
}
