import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, Node, Pod, PodSpec } from '#schema/types.ts';
import { createClusterCache } from '../cache/cluster-cache.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import type { Happening } from '../framework/happening.ts';
import { imageLocality } from './image-locality.ts';
import { createNodeAffinity } from './node-affinity.ts';
import { nodeDeclaredFeatures } from './node-declared-features.ts';
import { clusterOf, refusals } from './plugin-bench.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { createBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { createNodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { taintToleration } from './taint-toleration.ts';

const mebibyte = 1024 * 1024;

function node(name: string, change: Partial<Node> = {}): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
    ...change,
  };
}

function pod(name: string, spec: Partial<PodSpec> = {}, container: Partial<Container> = {}): Pod {
  return {
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'web:1', ...container }], ...spec },
  };
}

/** The reasons that a plugin gives against the pod on the first node; empty when it fits. */
function reasons(
  plugin: Plugin,
  wanted: Pod,
  nodes: Node[],
  placed: Pod[] = [],
): readonly string[] {
  const cache = createClusterCache();
  for (const entry of nodes) cache.setNode(entry);
  for (const entry of placed) cache.setPod(entry);
  const info = createPodInfo(wanted);
  const state = new Map();
  const early = plugin.preFilter?.(state, info, cache);
  if (early?.status?.code === 'Skip') return [];
  const first = cache.nodes[0];
  assert.ok(first);
  return plugin.filter?.(state, info, first)?.reasons ?? [];
}

/** Normalised scores by node, as the framework works them out for one plugin. */
function scores(plugin: Plugin, wanted: Pod, nodes: Node[], placed: Pod[] = []): number[] {
  const cache = createClusterCache();
  for (const entry of nodes) cache.setNode(entry);
  for (const entry of placed) cache.setPod(entry);
  const info = createPodInfo(wanted);
  const state = new Map();
  plugin.preScore?.(state, info, cache.nodes, cache);
  const list = cache.nodes.map((entry) => ({
    nodeName: entry.name,
    score: plugin.score?.(state, info, entry, cache) ?? 0,
  }));
  plugin.normalizeScore?.(state, info, list);
  return list.map(({ score }) => score);
}

const cpu = (amount: string): Partial<Container> => ({ resources: { requests: { cpu: amount } } });
const on = (where: string, of: Pod): Pod => ({
  ...of,
  spec: { ...(of.spec as PodSpec), nodeName: where },
});

test('a cordoned node takes only pods that tolerate it', () => {
  const cordoned = node('a', { spec: { unschedulable: true } });
  assert.deepEqual(reasons(nodeUnschedulable, pod('p'), [cordoned]), [
    'node(s) were unschedulable',
  ]);
  const tolerations = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }];
  assert.deepEqual(reasons(nodeUnschedulable, pod('p', { tolerations }), [cordoned]), []);
});

test('a pod that names another node is refused', () => {
  assert.equal(reasons(nodeName, pod('p', { nodeName: 'b' }), [node('a')]).length, 1);
  assert.deepEqual(reasons(nodeName, pod('p', { nodeName: 'a' }), [node('a')]), []);
});

test('taints of effect NoSchedule and NoExecute filter, PreferNoSchedule scores', () => {
  const taint = (effect: string): Node =>
    node('a', { spec: { taints: [{ key: 'k', value: 'v', effect }] } });
  for (const effect of ['NoSchedule', 'NoExecute']) {
    assert.deepEqual(reasons(taintToleration, pod('p'), [taint(effect)]), [
      'node(s) had untolerated taint(s)',
    ]);
    const tolerations = [{ key: 'k', operator: 'Equal', value: 'v', effect }];
    assert.deepEqual(reasons(taintToleration, pod('p', { tolerations }), [taint(effect)]), []);
  }
  assert.deepEqual(reasons(taintToleration, pod('p'), [taint('PreferNoSchedule')]), []);
  assert.deepEqual(
    scores(taintToleration, pod('p'), [taint('PreferNoSchedule'), node('b')]),
    [0, 100],
  );
});

test('nodeSelector and required affinity must both hold, terms are alternatives', () => {
  const zoned = node('a', { metadata: { name: 'a', labels: { zone: 'z1', size: '8' } } });
  const affinity = (
    matchExpressions: { key: string; operator: string; values?: string[] }[],
  ): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions }],
        },
      },
    },
  });
  const fits: [Partial<PodSpec>, boolean][] = [
    [{ nodeSelector: { zone: 'z1' } }, true],
    [{ nodeSelector: { zone: 'z2' } }, false],
    [affinity([{ key: 'zone', operator: 'In', values: ['z1', 'z2'] }]), true],
    [affinity([{ key: 'zone', operator: 'NotIn', values: ['z1'] }]), false],
    [affinity([{ key: 'gone', operator: 'NotIn', values: ['x'] }]), true],
    [affinity([{ key: 'size', operator: 'Gt', values: ['7'] }]), true],
    [affinity([{ key: 'size', operator: 'Lt', values: ['8'] }]), false],
    [affinity([{ key: 'gone', operator: 'Exists' }]), false],
    [affinity([]), false],
    [{ ...affinity([{ key: 'zone', operator: 'Exists' }]), nodeSelector: { zone: 'z2' } }, false],
  ];
  for (const [spec, isFit] of fits) {
    assert.equal(
      reasons(createNodeAffinity(), pod('p', spec), [zoned]).length === 0,
      isFit,
      JSON.stringify(spec),
    );
  }
});

test('host ports conflict on the same protocol and an overlapping address', () => {
  const port = (hostPort: number, hostIP?: string, protocol = 'TCP'): Partial<Container> => ({
    ports: [{ containerPort: 80, hostPort, hostIP, protocol }],
  });
  const cases: [Partial<Container>, Partial<Container>, number][] = [
    [port(80), port(80), 1],
    [port(80), port(81), 0],
    [port(80, undefined, 'UDP'), port(80), 0],
    [port(80, '10.0.0.1'), port(80, '10.0.0.2'), 0],
    [port(80, '10.0.0.1'), port(80), 1],
  ];
  for (const [wanted, taken, count] of cases) {
    const placed = [on('a', pod('other', {}, taken))];
    assert.equal(reasons(nodePorts, pod('p', {}, wanted), [node('a')], placed).length, count);
  }
});

test('sidecars hold host ports, init containers that end do not', () => {
  const port = { ports: [{ containerPort: 80, hostPort: 80 }] };
  const init = (restartPolicy?: string): Pod =>
    on(
      'a',
      pod('x', {
        hostNetwork: restartPolicy === undefined,
        initContainers: [{ name: 'i', image: 'i', ...port, restartPolicy }],
      }),
    );
  const wanted = pod('p', {}, port);
  assert.equal(reasons(nodePorts, wanted, [node('a')], [init('Always')]).length, 1);
  assert.deepEqual(reasons(nodePorts, wanted, [node('a')], [init()]), []);
});

test('every lacking resource is a reason, init containers count by their peak', () => {
  const placed = [on('a', pod('x', {}, cpu('1500m')))];
  assert.deepEqual(
    reasons(createNodeResourcesFit(), pod('p', {}, cpu('500m')), [node('a')], placed),
    [],
  );
  assert.deepEqual(
    reasons(createNodeResourcesFit(), pod('p', {}, cpu('501m')), [node('a')], placed),
    ['Insufficient cpu'],
  );
  const initContainers = [{ name: 'i', image: 'i', resources: { requests: { memory: '5Gi' } } }];
  assert.deepEqual(reasons(createNodeResourcesFit(), pod('p', { initContainers }), [node('a')]), [
    'Insufficient memory',
  ]);
  const full = ['x', 'y', 'z'].map((name) => on('a', pod(name)));
  assert.deepEqual(reasons(createNodeResourcesFit(), pod('p'), [node('a')], full), [
    'Too many pods',
  ]);
});

test('finished pods leave their room', () => {
  const done: Pod = { ...on('a', pod('x', {}, cpu('2'))), status: { phase: 'Succeeded' } };
  assert.deepEqual(
    reasons(createNodeResourcesFit(), pod('p', {}, cpu('2')), [node('a')], [done]),
    [],
  );
});

test('the emptier node scores higher, requests of nothing count as 100m and 200 MiB', () => {
  const placed = [on('a', pod('x', {}, cpu('1')))];
  const [a = 0, b = 0] = scores(createNodeResourcesFit(), pod('p'), [node('a'), node('b')], placed);
  assert.ok(b > a);
  const freeCpu = Math.floor((1900 * 100) / 2000);
  const freeMemory = Math.floor(((4096 - 200) * 100) / 4096);
  assert.equal(b, Math.floor((freeCpu + freeMemory) / 2));
});

test('strategies: what counts, how much, and what is full', () => {
  const allocatable = { cpu: '2', memory: '4Gi', pods: '9', 'ephemeral-storage': '10Gi' };
  const large = (name: string): Node => node(name, { status: { allocatable } });
  const disk = { resources: { requests: { cpu: '200m', 'ephemeral-storage': '5Gi' } } };
  const placed = [on('a', pod('x', {}, disk))];
  const score = (
    type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio',
    resources: readonly string[],
    one: Pod,
  ): number[] => {
    const shape = [
      { utilization: 0, score: 0 },
      { utilization: 100, score: 10 },
    ];
    const scoringStrategy = {
      type,
      resources: resources.map((name) => ({ name, weight: 1 })),
      requestedToCapacityRatio: { shape },
    };
    return scores(
      createNodeResourcesFit({ scoringStrategy }),
      one,
      [large('a'), large('b')],
      placed,
    );
  };
  // storage counts for pods that ask for none as well, devices do not
  assert.deepEqual(score('LeastAllocated', ['ephemeral-storage'], pod('p')), [50, 100]);
  assert.deepEqual(score('LeastAllocated', ['example.com/gpu'], pod('p')), [0, 0]);
  // requests of nothing may be more than there is: that is full
  const tight = node('t', { status: { allocatable: { cpu: '50m', memory: '4Gi', pods: '9' } } });
  const most = {
    scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 1 }] },
  };
  assert.deepEqual(scores(createNodeResourcesFit(most as never), pod('p'), [tight]), [100]);
  // a resource that scores nothing is left out of the mean
  const cpuOnly = pod('p', {}, cpu('1'));
  const both = ['cpu', 'ephemeral-storage'];
  assert.deepEqual(score('RequestedToCapacityRatio', both, cpuOnly), [55, 50]);
});

test('balanced allocation prefers the node that the pod evens out', () => {
  const placed = [on('a', pod('x', {}, cpu('1')))];
  const memory = { resources: { requests: { memory: '2Gi' } } };
  const [a = 0, b = 0] = scores(
    createBalancedAllocation(),
    pod('p', {}, memory),
    [node('a'), node('b')],
    placed,
  );
  assert.ok(a > b, `${a} > ${b}`);
});

test('a node with the image scores by its size and spread', () => {
  const images = [{ names: ['web:1'], sizeBytes: 1000 * mebibyte }];
  const withImage = node('a', { status: { allocatable: {}, images } });
  const [a, b] = scores(imageLocality, pod('p'), [withImage, node('b')]);
  // The only copy on one of two nodes counts by half.
  assert.equal(a, Math.floor((100 * (500 - 23)) / (1000 - 23)));
  assert.equal(b, 0);
});

test('NodeDeclaredFeatures wants the kubelet to know how to restart all containers', () => {
  const able = node('able');
  const capable = { ...able.status, declaredFeatures: ['RestartAllContainersOnContainerExits'] };
  const rule = {
    action: 'RestartAllContainers',
    exitCodes: { operator: 'In', values: [1] },
  };
  const cluster = clusterOf([{ ...able, status: capable }, node('unable')]);
  const wanting = pod('p', {}, { restartPolicyRules: [rule] });
  assert.deepEqual(refusals(nodeDeclaredFeatures, cluster, wanting), {
    able: '',
    unable: "node(s) didn't match Pod's required features",
  });
  assert.deepEqual(refusals(nodeDeclaredFeatures, cluster, pod('q')), { able: '', unable: '' });
});

/** A node of two CPUs with these pods on it. */
const nodeWith = (...placed: Pod[]): NodeInfo | undefined =>
  clusterOf(
    [node('n')],
    placed.map((one) => on('n', one)),
  ).nodes[0];

const hints: readonly [
  what: string,
  plugin: Plugin,
  pod: Pod,
  happening: Happening,
  isHelp: boolean,
][] = [
  [
    'a node that is too small even when empty',
    createNodeResourcesFit(),
    pod('p', {}, { resources: { requests: { cpu: '3' } } }),
    { event: 'Node/Add', node: node('n') },
    false,
  ],
  [
    'a node that is large enough',
    createNodeResourcesFit(),
    pod('p', {}, { resources: { requests: { cpu: '2' } } }),
    { event: 'Node/Add', node: node('n') },
    true,
  ],
  [
    'a node that changed nothing the pod wants',
    createNodeResourcesFit(),
    pod('p', {}, { resources: { requests: { cpu: '1' } } }),
    { event: 'Node/UpdateAllocatable', node: node('n'), formerNode: node('n') },
    false,
  ],
  [
    'any pod that leaves',
    createNodeResourcesFit(),
    pod('p', {}, { resources: { requests: { cpu: '1' } } }),
    { event: 'AssignedPod/Delete', pod: pod('q') },
    true,
  ],
  [
    'a pod that leaves a node on which there is still too little',
    createNodeResourcesFit(),
    pod('p', {}, cpu('2')),
    { event: 'AssignedPod/Delete', pod: pod('q'), nodeInfo: nodeWith(pod('r', {}, cpu('1'))) },
    false,
  ],
  [
    'a pod that leaves a node on which only less important ones are left',
    createNodeResourcesFit(),
    pod('p', { priority: 5 }, cpu('2')),
    { event: 'AssignedPod/Delete', pod: pod('q'), nodeInfo: nodeWith(pod('r', {}, cpu('1'))) },
    true,
  ],
  [
    'a pod that leaves enough room',
    createNodeResourcesFit(),
    pod('p', {}, cpu('1')),
    { event: 'AssignedPod/Delete', pod: pod('q'), nodeInfo: nodeWith(pod('r', {}, cpu('1'))) },
    true,
  ],
  [
    'a taint that stays',
    taintToleration,
    pod('p'),
    {
      event: 'Node/Add',
      node: node('n', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
    },
    false,
  ],
  [
    'a taint that went',
    taintToleration,
    pod('p'),
    {
      event: 'Node/UpdateTaint',
      node: node('n'),
      formerNode: node('n', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
    },
    true,
  ],
  [
    'a node that matches now and did before',
    createNodeAffinity(),
    pod('p', { nodeSelector: { 'kubernetes.io/hostname': 'n' } }),
    { event: 'Node/UpdateLabel', node: node('n'), formerNode: node('n') },
    false,
  ],
  [
    'another node than the selected one',
    createNodeAffinity(),
    pod('p', { nodeSelector: { 'kubernetes.io/hostname': 'n' } }),
    { event: 'Node/Add', node: node('m') },
    false,
  ],
  [
    'a pod that leaves without having the port',
    nodePorts,
    pod('p', {}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
    { event: 'AssignedPod/Delete', pod: pod('q') },
    false,
  ],
  [
    'a pod that gives the port back',
    nodePorts,
    pod('p', {}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
    {
      event: 'AssignedPod/Delete',
      pod: pod('q', {}, { ports: [{ containerPort: 1, hostPort: 80 }] }),
    },
    true,
  ],
  [
    'a node that is not cordoned any more',
    nodeUnschedulable,
    pod('p'),
    {
      event: 'Node/UpdateTaint',
      node: node('n'),
      formerNode: node('n', { spec: { unschedulable: true } }),
    },
    true,
  ],
];

for (const [what, plugin, waiting, happening, isHelp] of hints) {
  test(`${plugin.name}: ${what} is ${isHelp ? 'worth' : 'not worth'} another try`, () => {
    assert.equal(plugin.isHelpedBy?.(createPodInfo(waiting), happening), isHelp);
  });
}

test('NodeAffinity asks only the nodes that the terms name', () => {
  const required = (...terms: string[][]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: terms.map((names) => ({
            matchFields: names.map((name) => ({
              key: 'metadata.name',
              operator: 'In',
              values: [name],
            })),
          })),
        },
      },
    },
  });
  const cluster = clusterOf([node('a'), node('b')]);
  const ask = (...terms: string[][]) => {
    const info = createPodInfo(pod('p', required(...terms)));
    return createNodeAffinity().preFilter?.(new Map(), info, cluster);
  };
  assert.deepEqual([...(ask(['a'])?.nodeNames ?? [])], ['a']);
  assert.deepEqual([...(ask(['a'], ['b'])?.nodeNames ?? [])], ['a', 'b']);
  assert.deepEqual(ask(['a', 'b'])?.status?.reasons, ['pod affinity terms conflict']);
  assert.equal(ask(['a'], [])?.nodeNames, undefined);
});
