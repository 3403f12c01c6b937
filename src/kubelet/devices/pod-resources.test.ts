import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { testContainer, testPod } from '../fake-kubelet.ts';
import { createKubeletMetrics } from '../metrics/mod.ts';
import { createUnaryChannel } from '../plugins/mod.ts';
import { NumaNodes } from '../topology/mod.ts';
import { createDeviceStore } from './device-store.ts';
import { servePodResources } from './pod-resources.ts';

/** podresources.v1 as its clients know it. */
const tables = {
  messageFields: {
    Empty: '',
    ListResponse: '1 pod_resources PodResources[]',
    GetRequest: '1 pod_name string, 2 pod_namespace string',
    GetResponse: '1 pod_resources PodResources',
    PodResources: '1 name string, 2 namespace string, 3 containers ContainerResources[]',
    ContainerResources:
      '1 name string, 2 devices ContainerDevices[], 3 cpu_ids int64[], 4 memory ContainerMemory[]',
    ContainerDevices: '1 resource_name string, 2 device_ids string[], 3 topology Topology',
    ContainerMemory: '1 memory_type string, 2 size uint64, 3 topology Topology',
    Topology: '1 nodes Node[]',
    Node: '1 id int64',
    AllocatableResponse:
      '1 devices ContainerDevices[], 2 cpu_ids int64[], 3 memory ContainerMemory[]',
  },
  enumValues: {},
};

test('agents are told who has which devices, processors and memory, and are counted', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-resources-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const store = createDeviceStore(new NumaNodes([0, 1]));
  store.setDevices('acme.test/gpu', [
    { id: 'a', health: 'Healthy', topology: { nodes: [{ id: 1 }] } },
  ]);
  const limits = { 'acme.test/gpu': '1' };
  const pod = testPod('p', { containers: [testContainer('c', { resources: { limits } })] });
  pod.metadata.uid = 'u';
  for (const container of pod.spec?.containers ?? []) store.allocate(pod, container, undefined);
  const block = { numaAffinity: [1], type: 'memory', size: 4096 };
  const metrics = createKubeletMetrics();
  const socketPath = join(root, 'kubelet.sock');
  const server = await servePodResources({
    socketPath,
    store,
    cpus: { exclusive: () => [2, 3], allocatable: () => [1, 2, 3] },
    memory: { blocks: () => [block], allocatable: () => [{ ...block, size: 8192 }] },
    metrics: metrics.podResources,
    pods: () => [pod],
  });
  t.after(() => server.close());
  const channel = createUnaryChannel({
    socketPath,
    clock: systemClock,
    tables,
    timeoutMs: 30_000,
  });
  t.after(() => channel.close());
  const call = (method: string, types: [string, string], request: object = {}) =>
    channel.call<object>({ path: `/v1.PodResourcesLister/${method}`, types, request });
  const topology = { nodes: [{ id: 1 }] };
  const devices = [{ resourceName: 'acme.test/gpu', deviceIds: ['a'], topology }];
  const own = {
    name: 'p',
    namespace: 'default',
    containers: [
      {
        name: 'c',
        devices,
        cpuIds: [2, 3],
        memory: [{ memoryType: 'memory', size: 4096, topology }],
      },
    ],
  };
  assert.deepEqual(await call('List', ['Empty', 'ListResponse']), { podResources: [own] });
  assert.deepEqual(await call('GetAllocatableResources', ['Empty', 'AllocatableResponse']), {
    devices,
    cpuIds: [1, 2, 3],
    memory: [{ memoryType: 'memory', size: 8192, topology }],
  });
  const get = (podName: string) =>
    call('Get', ['GetRequest', 'GetResponse'], { podName, podNamespace: 'default' });
  assert.deepEqual(await get('p'), { podResources: own });
  await assert.rejects(get('none'), /pod none in namespace default not found/);
  const text = await metrics.registry.render();
  const counts = /^kubelet_pod_resources_endpoint_(\w+)\{server_api_version="v1"\} (\d)$/gm;
  assert.deepEqual([...text.matchAll(counts)].map(([, name, count]) => `${name} ${count}`).sort(), [
    'errors_get 1',
    'requests_get 2',
    'requests_get_allocatable 1',
    'requests_list 1',
    'requests_total 4',
  ]);
});
