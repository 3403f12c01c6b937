import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod, ResourceQuota, ResourceQuotaSpec } from '#schema/types.ts';
import type { ControllerOptions } from '../context.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startResourceQuotaController } from './resource-quota-controller.ts';

function start(
  spec: ResourceQuotaSpec,
  objects: readonly KubeObject[] = [],
  options: Partial<ControllerOptions> = {},
): Harness {
  const quota: ResourceQuota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec,
  };
  return createHarness([startResourceQuotaController], {
    objects: [quota, ...objects],
    options: { resources: () => catalog.all, ...options },
  });
}

const statusOf = (harness: Harness): ResourceQuota['status'] =>
  harness.client.stored<ResourceQuota>(resources.resourceQuotas, 'shop/q')?.status;

function pod(name: string, requests: Record<string, string>, phase = 'Running'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { containers: [{ name: 'c', resources: { requests, limits: { cpu: '1' } } }] },
    status: { phase },
  };
}

function object(apiVersion: string, kind: string, name: string, spec?: object): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop' }, spec } as KubeObject;
}

test('adds up what there is, zero for nothing, and leaves out what nobody knows', async () => {
  const hard = {
    pods: '10',
    'requests.cpu': '4',
    'limits.cpu': '8',
    memory: '1Gi',
    'requests.example.com/gpu': '4',
    'count/pods': '10',
    services: '5',
    'services.nodeports': '2',
    persistentvolumeclaims: '3',
    'requests.storage': '100Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '50Gi',
    configmaps: '5',
    'count/jobs.batch': '5',
    'count/widgets.example.com': '1',
  };
  const harness = start({ hard }, [
    pod('a', { cpu: '500m', memory: '64Mi', 'example.com/gpu': '2' }),
    pod('b', { cpu: '1' }),
    pod('ended', { cpu: '1' }, 'Succeeded'),
    object('v1', 'Service', 's', { type: 'NodePort', ports: [{ port: 80 }, { port: 81 }] }),
    object('v1', 'PersistentVolumeClaim', 'p', {
      storageClassName: 'gold',
      resources: { requests: { storage: '10Gi' } },
    }),
    object('batch/v1', 'Job', 'j'),
    object('v1', 'ConfigMap', 'c1'),
    { ...object('v1', 'ConfigMap', 'c2'), metadata: { name: 'c2', namespace: 'other' } },
  ]);
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.hard, hard);
  assert.deepEqual(statusOf(harness)?.used, {
    pods: '2',
    'requests.cpu': '1500m',
    'limits.cpu': '2',
    memory: '64Mi',
    'requests.example.com/gpu': '2',
    'count/pods': '3',
    services: '1',
    'services.nodeports': '2',
    persistentvolumeclaims: '1',
    'requests.storage': '10Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '10Gi',
    configmaps: '1',
    'count/jobs.batch': '1',
  });
  await harness.stop();
});

test('what is deleted or ends is given back at once, also of kinds that are only counted', async () => {
  const hard = { pods: '10', 'count/configmaps': '5' };
  const harness = start({ hard }, [
    pod('a', {}),
    pod('b', {}),
    object('v1', 'ConfigMap', 'c1'),
    object('v1', 'ConfigMap', 'c2'),
  ]);
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.used, { pods: '2', 'count/configmaps': '2' });
  harness.client.remove(resources.pods, 'shop/a');
  await harness.run(100);
  assert.equal(statusOf(harness)?.used?.['pods'], '1');
  harness.client.modify<Pod>(resources.pods, 'shop/b', (live) => ({
    ...live,
    status: { phase: 'Failed' },
  }));
  harness.client.remove(resources.configMaps, 'shop/c1');
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.used, { pods: '0', 'count/configmaps': '1' });
  await harness.stop();
});

test('a pod that is made smaller counts for what it has until it has less', async () => {
  const held = (cpu: string): Pod['status'] => {
    const resources = { requests: { cpu }, limits: { cpu: '1' } };
    const one = { name: 'c', image: 'x', imageID: '', ready: true, restartCount: 0 };
    return {
      phase: 'Running',
      containerStatuses: [{ ...one, allocatedResources: { cpu }, resources }],
    };
  };
  const small = { ...pod('a', { cpu: '100m' }), status: held('500m')! };
  const harness = start({ hard: { 'requests.cpu': '2', 'limits.cpu': '4' } }, [small]);
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.used, { 'requests.cpu': '500m', 'limits.cpu': '1' });
  harness.client.modify<Pod>(resources.pods, 'shop/a', (live) => ({
    ...live,
    status: held('100m')!,
  }));
  await harness.run(100);
  assert.equal(statusOf(harness)?.used?.['requests.cpu'], '100m');
  await harness.stop();
});

test('a pod that does not end in its time is given back, but for its object', async () => {
  const leaving = pod('a', { cpu: '1' });
  leaving.metadata.deletionTimestamp = '2020-01-01T00:00:30Z';
  leaving.metadata.deletionGracePeriodSeconds = 30;
  const harness = start({ hard: { 'requests.cpu': '2', 'count/pods': '4', pods: '4' } }, [leaving]);
  await harness.run(100);
  const used = { 'requests.cpu': '0', 'count/pods': '1', pods: '0' };
  assert.deepEqual(statusOf(harness)?.used, used);
  await harness.stop();
});

test('a claim that is given less, and a pod that changes its scope, are counted anew', async () => {
  const claim = {
    ...object('v1', 'PersistentVolumeClaim', 'p', { resources: { requests: { storage: '1Gi' } } }),
    status: { allocatedResources: { storage: '3Gi' } },
  };
  const harness = start({ hard: { 'requests.storage': '5Gi' } }, [claim]);
  await harness.run(100);
  assert.equal(statusOf(harness)?.used?.['requests.storage'], '3Gi');
  harness.client.modify(resources.persistentVolumeClaims, 'shop/p', (live) => ({
    ...live,
    status: { allocatedResources: { storage: '1Gi' } },
  }));
  await harness.run(100);
  assert.equal(statusOf(harness)?.used?.['requests.storage'], '1Gi');
  await harness.stop();
  const scoped = start({ hard: { pods: '5' }, scopes: ['Terminating'] }, [pod('a', {})]);
  await scoped.run(100);
  assert.equal(statusOf(scoped)?.used?.['pods'], '0');
  scoped.client.modify<Pod>(resources.pods, 'shop/a', (live) => ({
    ...live,
    spec: { ...live.spec!, activeDeadlineSeconds: 10 },
  }));
  await scoped.run(100);
  assert.equal(statusOf(scoped)?.used?.['pods'], '1');
  await scoped.stop();
});

for (const [scope, used] of [
  ['BestEffort', '1'],
  ['NotBestEffort', '2'],
  ['Terminating', '1'],
  ['NotTerminating', '2'],
] as const) {
  test(`scope ${scope} takes in its pods only`, async () => {
    const ending = pod('c', { cpu: '1' });
    ending.spec!.activeDeadlineSeconds = 10;
    const effortless = pod('a', {});
    delete effortless.spec!.containers[0]!.resources;
    const harness = start({ hard: { pods: '5' }, scopes: [scope] }, [
      effortless,
      pod('b', { cpu: '1' }),
      ending,
    ]);
    await harness.run(100);
    assert.equal(statusOf(harness)?.used?.['pods'], used);
    await harness.stop();
  });
}

test('a changed quota is added up anew; what admission books stays until the next resync', async () => {
  const harness = start({ hard: { pods: '5' } }, [pod('a', {})]);
  await harness.run(100);
  const change = (next: (quota: ResourceQuota) => ResourceQuota): void => {
    harness.client.modify<ResourceQuota>(resources.resourceQuotas, 'shop/q', next);
  };
  change((quota) => ({ ...quota, status: { ...quota.status, used: { pods: '2' } } }));
  await harness.run(100);
  assert.equal(statusOf(harness)?.used?.['pods'], '2');
  change((quota) => ({ ...quota, spec: { hard: { pods: '6', services: '1' } } }));
  await harness.run(100);
  assert.deepEqual(statusOf(harness), {
    hard: { pods: '6', services: '1' },
    used: { pods: '1', services: '0' },
  });
  change((quota) => ({
    ...quota,
    status: { ...quota.status, used: { pods: '2', services: '0' } },
  }));
  await harness.run(301_000);
  assert.equal(statusOf(harness)?.used?.['pods'], '1');
  await harness.stop();
});

test('how often quotas are added up anew can be set, also to never', async () => {
  for (const [quotaResyncMs, used] of [
    [60_000, '1'],
    [0, '2'],
  ] as const) {
    const harness = start({ hard: { pods: '5' } }, [pod('a', {})], { quotaResyncMs });
    await harness.run(100);
    harness.client.modify<ResourceQuota>(resources.resourceQuotas, 'shop/q', (quota) => ({
      ...quota,
      status: { ...quota.status, used: { pods: '2' } },
    }));
    await harness.run(61_000);
    assert.equal(statusOf(harness)?.used?.['pods'], used);
    await harness.stop();
  }
});

test('a kind that is defined later is counted from then on', async () => {
  let all: typeof catalog.all = [];
  let tell = (): void => undefined;
  const quota: ResourceQuota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec: { hard: { 'count/configmaps': '5' } },
  };
  const harness = createHarness([startResourceQuotaController], {
    objects: [quota, object('v1', 'ConfigMap', 'c1')],
    options: {
      resources: () => all,
      onResourcesChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
    },
  });
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.used, {});
  all = catalog.all;
  tell();
  await harness.run(100);
  assert.deepEqual(statusOf(harness)?.used, { 'count/configmaps': '1' });
  await harness.stop();
});
