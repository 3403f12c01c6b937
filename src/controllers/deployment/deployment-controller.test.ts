import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Deployment, DeploymentSpec, Pod, ReplicaSet } from '#schema/types.ts';
import { startReplicaSetController } from '../replicaset/mod.ts';
import { createHarness, playKubelets } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { conditionOf } from './conditions.ts';
import { startDeploymentController } from './deployment-controller.ts';

const labels = { app: 'web' };
const key = 'shop/web';

function deployment(spec: Partial<DeploymentSpec> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'd-uid', generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: template('v1'),
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
  };
}

function template(image: string): DeploymentSpec['template'] {
  return { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } };
}

function start(spec: Partial<DeploymentSpec> = {}): Harness {
  return createHarness([startDeploymentController, startReplicaSetController], {
    objects: [deployment(spec)],
  });
}

const live = (harness: Harness): Deployment =>
  harness.client.stored<Deployment>(resources.deployments, key)!;
const setsOf = (harness: Harness): ReplicaSet[] =>
  harness.client
    .all<ReplicaSet>(resources.replicaSets)
    .toSorted((a, b) => revisionOf(a) - revisionOf(b));
const revisionOf = (object: ReplicaSet | Deployment): number =>
  Number(object.metadata.annotations?.['deployment.kubernetes.io/revision']);
const podsOf = (harness: Harness, image?: string): Pod[] =>
  harness.client
    .all<Pod>(resources.pods)
    .filter((pod) => image === undefined || pod.spec?.containers[0]?.image === image);

async function change(harness: Harness, spec: Partial<DeploymentSpec>): Promise<void> {
  const body = { spec };
  const options = { namespace: 'shop' };
  await harness.client.patch(resources.deployments, 'web', { type: 'merge', body }, options);
}

async function settle(harness: Harness, rounds = 12): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    playKubelets(harness);
    await harness.run(100);
  }
}

test('a new Deployment gets a replica set, becomes available and is done', async () => {
  const harness = start();
  await harness.run(100);
  const [set] = setsOf(harness);
  const hash = set?.metadata.labels?.['pod-template-hash'] ?? '';
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(set?.metadata.name, `web-${hash}`);
  assert.deepEqual(set?.spec?.selector.matchLabels, { ...labels, 'pod-template-hash': hash });
  assert.deepEqual(set?.metadata.annotations, {
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
  });
  await settle(harness);
  const { status, metadata } = live(harness);
  assert.deepEqual(
    {
      observedGeneration: status?.observedGeneration,
      replicas: status?.replicas,
      updatedReplicas: status?.updatedReplicas,
      readyReplicas: status?.readyReplicas,
      availableReplicas: status?.availableReplicas,
      unavailableReplicas: status?.unavailableReplicas,
    },
    {
      observedGeneration: metadata.generation,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: undefined,
    },
  );
  const progressing = conditionOf(status?.conditions, 'Progressing');
  const available = conditionOf(status?.conditions, 'Available');
  assert.deepEqual(
    [progressing?.status, progressing?.reason, progressing?.message],
    [
      'True',
      'NewReplicaSetAvailable',
      `ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
    ],
  );
  assert.deepEqual(
    [available?.status, available?.reason, available?.message],
    ['True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
  );
  assert.equal(revisionOf(live(harness)), 1);
  const scaled = `ScalingReplicaSet: Scaled up replica set ${set?.metadata.name} from 0 to 3`;
  assert.ok(harness.events().includes(scaled), harness.events().join('\n'));
  await harness.stop();
});

test('a rolling update keeps within maxSurge and maxUnavailable at every step', async () => {
  const harness = start({
    replicas: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
  });
  await harness.run(100);
  await settle(harness);
  assert.equal(live(harness).status?.availableReplicas, 10);
  await change(harness, { template: template('v2') });
  let steps = 0;
  for (; podsOf(harness, 'v1').length > 0 || podsOf(harness, 'v2').length < 10; steps++) {
    assert.ok(steps < 60, 'the update does not end');
    await harness.run(50);
    const active = podsOf(harness).filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const ready = active.filter((pod) => pod.status?.phase === 'Running');
    assert.ok(active.length <= 13, `${active.length} pods`);
    assert.ok(ready.length >= 8, `${ready.length} ready pods`);
    // One kubelet after the other, so that the steps are small.
    const [next] = active.filter((pod) => pod.status?.phase === 'Pending');
    playKubelets(harness, (pod) => pod.metadata.uid === next?.metadata.uid);
  }
  await settle(harness);
  assert.deepEqual(
    setsOf(harness).map((set) => [revisionOf(set), set.spec?.replicas]),
    [
      [1, 0],
      [2, 10],
    ],
  );
  assert.equal(live(harness).status?.updatedReplicas, 10);
  await harness.stop();
});

test('a broken update stops with enough old pods, and is undone to a new revision', async () => {
  const harness = start({ replicas: 4 });
  await harness.run(100);
  await settle(harness);
  await change(harness, { template: template('broken') });
  for (let round = 0; round < 10; round++) {
    playKubelets(harness, (pod) => pod.spec?.containers[0]?.image !== 'broken');
    await harness.run(100);
  }
  assert.deepEqual([podsOf(harness, 'v1').length, podsOf(harness, 'broken').length], [3, 2]);
  await harness.run(700_000);
  const { status } = live(harness);
  const progressing = conditionOf(status?.conditions, 'Progressing');
  assert.deepEqual(
    [progressing?.status, progressing?.reason],
    ['False', 'ProgressDeadlineExceeded'],
  );
  assert.match(progressing?.message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/);
  await change(harness, { template: template('v1') });
  await settle(harness);
  const sets = setsOf(harness);
  assert.deepEqual(
    sets.map((set) => [revisionOf(set), set.spec?.replicas]),
    [
      [2, 0],
      [3, 4],
    ],
  );
  const history = sets[1]?.metadata.annotations?.['deployment.kubernetes.io/revision-history'];
  assert.equal(history, '1');
  assert.equal(revisionOf(live(harness)), 3);
  const after = conditionOf(live(harness).status?.conditions, 'Progressing');
  assert.equal(after?.reason, 'NewReplicaSetAvailable');
  await harness.stop();
});

test('Recreate makes new pods only after the last old one is gone', async () => {
  const harness = start({ strategy: { type: 'Recreate' } });
  await harness.run(100);
  await settle(harness);
  // Pods on a node end gracefully: they stay until the kubelet has stopped them.
  for (const pod of podsOf(harness)) {
    harness.client.modify<Pod>(resources.pods, `shop/${pod.metadata.name}`, (object) => ({
      ...object,
      spec: { ...object.spec!, nodeName: 'n1' },
    }));
  }
  await change(harness, { template: template('v2') });
  await harness.run(1000);
  assert.deepEqual([podsOf(harness, 'v1').length, podsOf(harness, 'v2').length], [3, 0]);
  playKubelets(harness);
  await harness.run(100);
  await settle(harness);
  assert.deepEqual([podsOf(harness, 'v1').length, podsOf(harness, 'v2').length], [0, 3]);
  assert.equal(live(harness).status?.availableReplicas, 3);
  await harness.stop();
});

test('scaling in the middle of an update is spread over old and new sets', async () => {
  const harness = start({
    replicas: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
  });
  await harness.run(100);
  await settle(harness);
  await change(harness, { template: template('v2') });
  await harness.run(500);
  playKubelets(harness, (pod) => pod.spec?.containers[0]?.image !== 'v2');
  await harness.run(500);
  const sizes = (): (number | undefined)[] => setsOf(harness).map((set) => set.spec?.replicas);
  assert.deepEqual(sizes(), [8, 5]);
  await change(harness, { replicas: 15 });
  await harness.run(500);
  // 13 of 18 allowed: 5 more, shared 8 to 5 as in upstream's documentation.
  assert.deepEqual(sizes(), [11, 7]);
  await harness.stop();
});

test('a paused Deployment scales but does not roll out', async () => {
  const harness = start();
  await harness.run(100);
  await settle(harness);
  await change(harness, { paused: true, template: template('v2'), replicas: 5 });
  await settle(harness);
  assert.deepEqual([podsOf(harness, 'v1').length, podsOf(harness, 'v2').length], [5, 0]);
  const paused = conditionOf(live(harness).status?.conditions, 'Progressing');
  assert.deepEqual([paused?.status, paused?.reason], ['Unknown', 'DeploymentPaused']);
  await change(harness, { paused: false });
  await settle(harness);
  assert.deepEqual([podsOf(harness, 'v1').length, podsOf(harness, 'v2').length], [0, 5]);
  await harness.stop();
});

test('keeps as many old sets as revisionHistoryLimit says', async () => {
  const harness = start({ revisionHistoryLimit: 2 });
  await harness.run(100);
  await settle(harness);
  for (const image of ['v2', 'v3', 'v4', 'v5']) {
    await change(harness, { template: template(image) });
    await settle(harness);
  }
  assert.deepEqual(setsOf(harness).map(revisionOf), [3, 4, 5]);
  await harness.stop();
});

test('a name that another template holds is passed by with a collision count', async () => {
  const harness = start();
  await harness.run(100);
  await settle(harness);
  const [set] = setsOf(harness);
  const other = start();
  const foreign: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: set?.metadata.name ?? '', namespace: 'shop' },
    spec: { replicas: 0, selector: { matchLabels: { app: 'other' } }, template: {} },
  };
  other.client.add(foreign);
  await other.run(1000);
  assert.equal(live(other).status?.collisionCount, 1);
  assert.equal(setsOf(other).length, 2);
  await harness.stop();
  await other.stop();
});

test('annotations reach the replica set, but not the last applied configuration', async () => {
  const harness = start();
  const body = {
    metadata: {
      annotations: {
        'kubernetes.io/change-cause': 'first',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    },
  };
  await harness.client.patch(
    resources.deployments,
    'web',
    { type: 'merge', body },
    {
      namespace: 'shop',
    },
  );
  await harness.run(100);
  const annotations = setsOf(harness)[0]?.metadata.annotations ?? {};
  assert.equal(annotations['kubernetes.io/change-cause'], 'first');
  assert.equal('kubectl.kubernetes.io/last-applied-configuration' in annotations, false);
  await harness.stop();
});

test('a finished Deployment causes no further writes', async () => {
  const harness = start();
  await harness.run(100);
  await settle(harness);
  harness.client.clearActions();
  await harness.run(3_600_000);
  assert.deepEqual(harness.client.actions, []);
  await harness.stop();
});

const rollbackKey = 'deprecated.deployment.rollback.to';
const askBack = async (harness: Harness, revision: string): Promise<void> => {
  harness.client.modify<Deployment>(resources.deployments, key, (object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...object.metadata.annotations, [rollbackKey]: revision },
    },
  }));
  await settle(harness);
};

test('a rollback that old clients ask for brings template and annotations back', async () => {
  const harness = start();
  const annotate = (cause: string): Promise<unknown> => {
    const body = { metadata: { annotations: { 'kubernetes.io/change-cause': cause } } };
    const options = { namespace: 'shop' };
    return harness.client.patch(resources.deployments, 'web', { type: 'merge', body }, options);
  };
  await annotate('first');
  await harness.run(100);
  await settle(harness);
  await change(harness, { template: template('v2') });
  await annotate('second');
  await settle(harness);
  await askBack(harness, '0');
  assert.equal(live(harness).spec?.template.spec?.containers[0]?.image, 'v1');
  assert.deepEqual(live(harness).spec?.template.metadata?.labels, labels);
  const { annotations = {} } = live(harness).metadata;
  assert.equal(annotations['kubernetes.io/change-cause'], 'first');
  assert.equal(annotations[rollbackKey], undefined);
  assert.equal(revisionOf(live(harness)), 3);
  const done = 'DeploymentRollback: Rolled back deployment "web" to revision 1';
  assert.ok(harness.events().includes(done), harness.events().join('\n'));
  await harness.stop();
});

test('a rollback to what is not there, or is there already, is refused with a word', async () => {
  const harness = start();
  await harness.run(100);
  await settle(harness);
  for (const [revision, text] of [
    ['0', 'DeploymentRollbackRevisionNotFound: Unable to find last revision.'],
    ['9', 'DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to.'],
    [
      '1',
      'DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template as current deployment "web"',
    ],
  ] as const) {
    await askBack(harness, revision);
    assert.ok(harness.events().includes(text), harness.events().join('\n'));
    assert.equal(live(harness).metadata.annotations?.[rollbackKey], undefined);
  }
  await harness.stop();
});

test('pods on their way out are counted once all sets say theirs', async () => {
  const harness = createHarness([startDeploymentController], { objects: [deployment()] });
  await harness.run(100);
  assert.equal(live(harness).status?.terminatingReplicas, undefined);
  const [set] = setsOf(harness);
  const status = { replicas: 3, terminatingReplicas: 2 };
  harness.client.modify<ReplicaSet>(resources.replicaSets, `shop/${set?.metadata.name}`, (one) => ({
    ...one,
    status,
  }));
  await harness.run(100);
  assert.equal(live(harness).status?.terminatingReplicas, 2);
  await harness.stop();
});

test('another maxSurge is noted in sets when they are scaled, not before', async () => {
  const harness = start();
  await settle(harness);
  const maximum = (): string | undefined =>
    setsOf(harness)[0]?.metadata.annotations?.['deployment.kubernetes.io/max-replicas'];
  const rollingUpdate = { maxSurge: 3, maxUnavailable: 1 };
  await change(harness, { strategy: { type: 'RollingUpdate', rollingUpdate } });
  await settle(harness);
  assert.equal(maximum(), '4');
  await change(harness, { replicas: 4 });
  await settle(harness);
  assert.equal(maximum(), '7');
  await harness.stop();
});
