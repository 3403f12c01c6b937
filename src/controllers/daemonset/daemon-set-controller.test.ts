import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type {
  ControllerRevision,
  DaemonSet,
  DaemonSetSpec,
  Node,
  Pod,
  Taint,
} from '#schema/types.ts';
import { createHarness, playKubelets, setPodReady } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { targetNodeOf } from './daemon-pod.ts';
import { startDaemonSetController } from './daemon-set-controller.ts';

const labels = { app: 'agent' };

function template(image: string): DaemonSetSpec['template'] {
  return { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } };
}

function daemonSet(spec: Partial<DaemonSetSpec> = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'agent',
      namespace: 'shop',
      uid: 'set-uid',
      generation: 1,
      annotations: { 'deprecated.daemonset.template.generation': '1' },
    },
    spec: {
      selector: { matchLabels: labels },
      template: template('v1'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
}

function node(name: string, taints: Taint[] = []): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { disk: name } },
    spec: { taints },
  };
}

function start(
  spec: Partial<DaemonSetSpec> = {},
  nodes = [node('n1'), node('n2'), node('n3')],
): Harness {
  return createHarness([startDaemonSetController], { objects: [daemonSet(spec), ...nodes] });
}

const live = (harness: Harness): DaemonSet =>
  harness.client.stored<DaemonSet>(resources.daemonSets, 'shop/agent') as DaemonSet;
const podsOf = (harness: Harness): Pod[] =>
  harness.client
    .all<Pod>(resources.pods)
    .toSorted((a, b) => ((targetNodeOf(a) ?? '') < (targetNodeOf(b) ?? '') ? -1 : 1));
const places = (harness: Harness): string[] =>
  podsOf(harness).map((pod) => `${targetNodeOf(pod)} ${pod.spec?.containers[0]?.image}`);
const revisionsOf = (harness: Harness): ControllerRevision[] =>
  harness.client.all<ControllerRevision>(resources.controllerRevisions);

function change(harness: Harness, image: string): void {
  harness.client.modify<DaemonSet>(resources.daemonSets, 'shop/agent', (set) => {
    const generation = (set.metadata.generation ?? 0) + 1;
    const annotations = { 'deprecated.daemonset.template.generation': String(generation) };
    return {
      ...set,
      metadata: { ...set.metadata, generation, annotations },
      spec: { ...set.spec!, template: template(image) },
    };
  });
}

async function settle(harness: Harness, isReady?: (pod: Pod) => boolean): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await harness.run(50);
    playKubelets(harness, isReady);
  }
  await harness.run(50);
}

test('each node that fits gets a pod that is bound by its name', async () => {
  const harness = start();
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v1', 'n2 v1', 'n3 v1']);
  const [pod] = podsOf(harness);
  const [revision] = revisionsOf(harness);
  const hash = revision?.metadata.labels?.['controller-revision-hash'];
  assert.equal(revision?.metadata.name, `agent-${hash}`);
  assert.deepEqual(pod?.metadata.labels, {
    ...labels,
    'pod-template-generation': '1',
    'controller-revision-hash': hash,
  });
  assert.deepEqual(pod?.spec?.affinity, {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
        ],
      },
    },
  });
  assert.deepEqual(
    pod?.spec?.tolerations?.map(({ key, effect }) => `${key?.replace(/^.*\//, '')} ${effect}`),
    [
      'not-ready NoExecute',
      'unreachable NoExecute',
      'disk-pressure NoSchedule',
      'memory-pressure NoSchedule',
      'pid-pressure NoSchedule',
      'unschedulable NoSchedule',
    ],
  );
  assert.deepEqual(live(harness).status, {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
    numberUnavailable: undefined,
  });
  harness.client.add(node('n4'));
  await settle(harness);
  assert.equal(places(harness).length, 4);
  await harness.stop();
});

for (const [what, spec, taints, expected] of [
  ['a node selector', { nodeSelector: { disk: 'n2' } }, [], ['n2 v1']],
  ['a name', { nodeName: 'n3' }, [], ['n3 v1']],
  ['a taint nobody bears', {}, [{ key: 'a', effect: 'NoSchedule' }], ['n2 v1', 'n3 v1']],
  [
    'a taint that daemons bear',
    {},
    [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }],
    ['n1 v1', 'n2 v1', 'n3 v1'],
  ],
  [
    'a missing network, borne on the host network only',
    { hostNetwork: true },
    [{ key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }],
    ['n1 v1', 'n2 v1', 'n3 v1'],
  ],
] as const) {
  test(`nodes are chosen by ${what}`, async () => {
    const nodes = [node('n1', [...taints]), node('n2'), node('n3')];
    const base = template('v1');
    const harness = start({ template: { ...base, spec: { ...base.spec!, ...spec } } }, nodes);
    await settle(harness);
    assert.deepEqual(places(harness), expected);
    await harness.stop();
  });
}

test('a NoSchedule taint leaves a pod alone, NoExecute and a changed label end it', async () => {
  const base = template('v1');
  const affinity = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }],
      },
    },
  };
  const harness = start({ template: { ...base, spec: { ...base.spec!, affinity } } });
  await settle(harness);
  const taint = (name: string, effect: string): void => {
    harness.client.modify<Node>(resources.nodes, name, (live) => ({
      ...live,
      spec: { taints: [{ key: 'a', effect }] },
    }));
  };
  taint('n1', 'NoSchedule');
  taint('n2', 'NoExecute');
  harness.client.modify<Node>(resources.nodes, 'n3', (live) => ({
    ...live,
    metadata: { ...live.metadata, labels: {} },
  }));
  await harness.run(100);
  assert.deepEqual(places(harness), ['n1 v1']);
  const { status } = live(harness);
  assert.deepEqual([status?.desiredNumberScheduled, status?.numberMisscheduled], [0, 1]);
  await harness.stop();
});

test('a rolling update takes maxUnavailable pods at a time', async () => {
  const harness = start();
  await settle(harness);
  change(harness, 'v2');
  await settle(harness, (pod) => pod.spec?.containers[0]?.image !== 'v2');
  assert.equal(places(harness).filter((place) => place.endsWith('v2')).length, 1);
  assert.equal(live(harness).status?.updatedNumberScheduled, 1);
  assert.equal(live(harness).status?.numberUnavailable, 1);
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v2', 'n2 v2', 'n3 v2']);
  assert.deepEqual(
    revisionsOf(harness).map(({ revision }) => revision),
    [1, 2],
  );
  change(harness, 'v1');
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v1', 'n2 v1', 'n3 v1']);
  assert.deepEqual(
    revisionsOf(harness)
      .map(({ revision }) => revision)
      .toSorted(),
    [2, 3],
  );
  await harness.stop();
});

test('with maxSurge the old pod goes when the new one serves', async () => {
  const harness = start({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  });
  await settle(harness);
  change(harness, 'v2');
  await settle(harness, () => false);
  assert.equal(places(harness).length, 4);
  assert.equal(places(harness).filter((place) => place.endsWith('v2')).length, 1);
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v2', 'n2 v2', 'n3 v2']);
  await harness.stop();
});

test('with OnDelete only pods that somebody deletes are updated', async () => {
  const harness = start({ updateStrategy: { type: 'OnDelete' } });
  await settle(harness);
  change(harness, 'v2');
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v1', 'n2 v1', 'n3 v1']);
  harness.client.remove(resources.pods, `shop/${podsOf(harness)[1]?.metadata.name}`);
  await settle(harness);
  assert.deepEqual(places(harness), ['n1 v1', 'n2 v2', 'n3 v1']);
  await harness.stop();
});

test('failed pods are replaced after growing waits, with an event', async () => {
  const harness = start({}, [node('n1')]);
  await settle(harness);
  const fail = (): string => {
    const { name } = podsOf(harness)[0]!.metadata;
    harness.client.modify<Pod>(resources.pods, `shop/${name}`, (pod) => ({
      ...pod,
      status: { phase: 'Failed' },
    }));
    return name;
  };
  const first = fail();
  await harness.run(50);
  assert.notEqual(podsOf(harness)[0]?.metadata.name, first);
  const text = `Found failed daemon pod shop/${first} on node n1, will try to kill it`;
  assert.ok(harness.events().includes(`FailedDaemonPod: ${text}`));
  const second = fail();
  await harness.run(500);
  assert.equal(podsOf(harness)[0]?.metadata.name, second);
  await harness.run(600);
  assert.notEqual(podsOf(harness)[0]?.metadata.name, second);
  await harness.stop();
});

test('a pod that has ended and only waits for a finalizer has a successor', async () => {
  const harness = start({}, [node('n1')]);
  await settle(harness);
  const [first] = podsOf(harness);
  harness.client.modify<Pod>(resources.pods, `shop/${first?.metadata.name}`, (pod) => ({
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers: ['example.com/keep'],
      deletionTimestamp: '2026-01-01T00:00:00Z',
    },
    status: { ...pod.status, phase: 'Failed' },
  }));
  await harness.run(200);
  assert.deepEqual(places(harness), ['n1 v1', 'n1 v1']);
  assert.equal(live(harness).status?.currentNumberScheduled, 1);
  await harness.stop();
});

test('doubles on a node are removed, the oldest stays', async () => {
  const harness = start({}, [node('n1')]);
  await settle(harness);
  const [kept] = podsOf(harness);
  await harness.run(5000);
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _time,
    ...metadata
  } = kept!.metadata;
  harness.client.add({ ...kept!, metadata: { ...metadata, name: 'agent-double' } });
  await settle(harness);
  assert.deepEqual(
    podsOf(harness).map((pod) => pod.metadata.name),
    [kept?.metadata.name],
  );
  await harness.stop();
});

test('minReadySeconds delays availability', async () => {
  const harness = start({ minReadySeconds: 10 }, [node('n1')]);
  await harness.run(50);
  setPodReady(
    harness.client,
    `shop/${podsOf(harness)[0]?.metadata.name}`,
    true,
    harness.clock.now(),
  );
  await harness.run(5000);
  assert.deepEqual(
    [live(harness).status?.numberReady, live(harness).status?.numberAvailable],
    [1, undefined],
  );
  await harness.run(7000);
  assert.equal(live(harness).status?.numberAvailable, 1);
  await harness.stop();
});

test('a revision that is deleted comes back', async () => {
  const harness = start({}, [node('n1')]);
  await settle(harness);
  const [revision] = revisionsOf(harness);
  harness.client.remove(resources.controllerRevisions, `shop/${revision?.metadata.name}`);
  await settle(harness);
  assert.deepEqual(
    revisionsOf(harness).map(({ metadata }) => metadata.name),
    [revision?.metadata.name],
  );
  await harness.stop();
});

test('looks again when the first of the pods has been ready for long enough', async () => {
  const harness = start({}, [node('n1')]);
  await harness.run(50);
  const key = `shop/${podsOf(harness)[0]?.metadata.name}`;
  setPodReady(harness.client, key, true, harness.clock.now() - 50_000);
  harness.client.modify<DaemonSet>(resources.daemonSets, 'shop/agent', (set) => ({
    ...set,
    spec: { ...set.spec!, minReadySeconds: 60 },
  }));
  await harness.run(50);
  assert.equal(live(harness).status?.numberAvailable, undefined);
  await harness.run(11_000);
  assert.equal(live(harness).status?.numberAvailable, 1);
  await harness.stop();
});
