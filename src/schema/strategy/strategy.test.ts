import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/deep-freeze.ts';
import type { UnknownObject } from '../object.ts';
import type { Pod } from '../generated/types.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { podQosClass } from '../pods/mod.ts';
import { prepareForCreate, prepareForUpdate, resetFieldsOf } from './mod.ts';
import { infoOf } from '../testing/info-of.ts';

const pods = infoOf('', 'pods');
const deployments = infoOf('apps', 'deployments');

function custom(hasStatus: boolean): ResourceInfo {
  const subresources = deployments.subresources.filter(({ name }) => name === 'status');
  return {
    ...deployments,
    group: 'example.com',
    kind: 'Service',
    resource: 'services',
    typeName: 'example.com/Service',
    subresources: hasStatus ? subresources : [],
  };
}

function created(info: ResourceInfo, fields: Record<string, unknown>): UnknownObject {
  const object = { metadata: { name: 'a' }, ...fields } as UnknownObject;
  prepareForCreate(info, object);
  return object;
}

function updated(
  info: ResourceInfo,
  old: Record<string, unknown>,
  fields: Record<string, unknown>,
  subresource = '',
): UnknownObject {
  const object = structuredClone({ metadata: { name: 'a' }, ...fields }) as UnknownObject;
  const stored = deepFreeze(structuredClone({ metadata: { name: 'a' }, ...old })) as UnknownObject;
  prepareForUpdate(info, object, stored, subresource);
  return object;
}

test('a new object starts with generation 1, an empty status and no deletion marks', () => {
  const object = created(infoOf('apps', 'daemonsets'), {
    metadata: {
      name: 'a',
      generation: 7,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 3,
      selfLink: '/x',
    },
    status: { numberReady: 9 },
  });
  assert.deepEqual(object, {
    metadata: {
      name: 'a',
      generation: 1,
      annotations: { 'deprecated.daemonset.template.generation': '1' },
    },
    status: {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    },
  });
});

test('kinds differ in what they start with', () => {
  const config = created(infoOf('', 'configmaps'), { metadata: { name: 'a', generation: 4 } });
  assert.deepEqual(config, { metadata: { name: 'a' } });
  const namespace = created(infoOf('', 'namespaces'), {});
  assert.deepEqual(namespace['spec'], { finalizers: ['kubernetes'] });
  assert.deepEqual(namespace['status'], { phase: 'Active' });
  const node = created(infoOf('', 'nodes'), { status: { capacity: { cpu: '4' } } });
  assert.deepEqual(node['status'], { capacity: { cpu: '4' } });
  const service = created(infoOf('', 'services'), {});
  assert.deepEqual(service['status'], { loadBalancer: {} });
  const driver = created(infoOf('storage.k8s.io', 'csidrivers'), {});
  assert.equal(driver.metadata.generation, undefined);
  const definition = created(infoOf('apiextensions.k8s.io', 'customresourcedefinitions'), {
    spec: { versions: [{ name: 'v1alpha1' }, { name: 'v1', storage: true }] },
  });
  assert.deepEqual((definition['status'] as { storedVersions: string[] }).storedVersions, ['v1']);
});

test('a new pod is pending, has its class and tells when it is gated', () => {
  const pod = created(pods, {
    metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'a' }], schedulingGates: [{ name: 'g' }] },
    status: { phase: 'Running' },
  });
  assert.deepEqual(pod['status'], {
    phase: 'Pending',
    qosClass: 'BestEffort',
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ],
  });
});

test('selectors of a new pod get its values of matchLabelKeys', () => {
  const labelSelector = { matchLabels: { app: 'web' } };
  const topologyKey = 'zone';
  const pod = created(pods, {
    metadata: { name: 'a', labels: { version: 'v1', tenant: 't' } },
    spec: {
      containers: [{ name: 'a' }],
      topologySpreadConstraints: [
        { topologyKey, labelSelector, matchLabelKeys: ['version', 'none'] },
        { topologyKey, matchLabelKeys: ['version'] },
      ],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey, labelSelector, mismatchLabelKeys: ['tenant'] },
          ],
        },
      },
    },
  }) as unknown as Pod;
  const selectors = pod.spec?.topologySpreadConstraints?.map((one) => one.labelSelector);
  assert.deepEqual(selectors, [
    { ...labelSelector, matchExpressions: [{ key: 'version', operator: 'In', values: ['v1'] }] },
    undefined,
  ]);
  const [term] =
    pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  assert.deepEqual(term?.labelSelector?.matchExpressions, [
    { key: 'tenant', operator: 'NotIn', values: ['t'] },
  ]);
  assert.deepEqual(labelSelector, { matchLabels: { app: 'web' } });
});

test('the class of a pod follows from requests and limits', () => {
  const both = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1Gi' } };
  const cases: readonly [object[], string][] = [
    [[{}], 'BestEffort'],
    [[{ requests: { 'example.com/gpu': '1' } }], 'BestEffort'],
    [[{ requests: { cpu: '0' } }], 'BestEffort'],
    [[{ requests: { cpu: '1' } }], 'Burstable'],
    [[both], 'Guaranteed'],
    [[both, both], 'Guaranteed'],
    [[both, {}], 'Burstable'],
    [[{ ...both, requests: { cpu: '500m', memory: '1Gi' } }], 'Burstable'],
    [[{ limits: { cpu: '1' } }], 'Burstable'],
  ];
  for (const [resources, expected] of cases) {
    const containers = resources.map((one, index) => ({ name: `c${index}`, resources: one }));
    assert.equal(podQosClass({ containers }), expected, JSON.stringify(resources));
  }
});

test('a spec write keeps the status and bumps the generation when the spec changed', () => {
  const old = {
    metadata: { name: 'a', generation: 3, annotations: { a: '1' } },
    spec: { replicas: 1 },
    status: { replicas: 1 },
  };
  const same = updated(deployments, old, { ...old, status: { replicas: 9 } });
  assert.deepEqual(same, old);
  const changed = updated(deployments, old, { ...old, spec: { replicas: 2 } });
  assert.equal(changed.metadata.generation, 4);
  const annotated = updated(deployments, old, { ...old, metadata: { name: 'a', generation: 9 } });
  assert.equal(annotated.metadata.generation, 4);
  const scaled = updated(deployments, old, { ...old, spec: { replicas: 2 } }, 'scale');
  assert.equal(scaled.metadata.generation, 4);
  assert.deepEqual(scaled['status'], { replicas: 1 });
});

test('a status write keeps the spec, the generation and what else its kind says', () => {
  const old = {
    metadata: { name: 'a', generation: 3, labels: { a: '1' } },
    spec: { replicas: 1 },
    status: { replicas: 1 },
  };
  const write = {
    metadata: { name: 'a', labels: { b: '2' }, annotations: { c: '3' } },
    spec: { replicas: 5 },
    status: { replicas: 2 },
  };
  assert.deepEqual(updated(deployments, old, write, 'status'), {
    metadata: { name: 'a', generation: 3, labels: { a: '1' }, annotations: { c: '3' } },
    spec: { replicas: 1 },
    status: { replicas: 2 },
  });
  const claims = infoOf('resource.k8s.io', 'resourceclaims');
  assert.deepEqual(updated(claims, old, write, 'status'), { ...old, status: { replicas: 2 } });
});

test('an update cannot remove what the system wrote', () => {
  const system = {
    uid: 'u',
    creationTimestamp: '2026-01-01T00:00:00Z',
    deletionTimestamp: '2026-01-02T00:00:00Z',
    deletionGracePeriodSeconds: 30,
  };
  const old = { metadata: { name: 'a', ...system } };
  const write = {
    metadata: { name: 'a', creationTimestamp: '2020-01-01T00:00:00Z', selfLink: '/' },
  };
  assert.deepEqual(updated(infoOf('', 'configmaps'), old, write), old);
  const kubelet = { metadata: { name: 'a', ownerReferences: [{ uid: 'x' }] }, status: {} };
  assert.deepEqual(updated(pods, { ...old, status: {} }, kubelet, 'status').metadata, old.metadata);
});

test('ephemeral containers and resizes change nothing else of a pod', () => {
  const old = {
    metadata: { name: 'a', generation: 1, labels: { a: '1' } },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
    status: { phase: 'Running' },
  };
  const write = {
    metadata: { name: 'a', resourceVersion: '7', labels: { b: '2' } },
    spec: {
      containers: [{ name: 'c', image: 'other', resources: { limits: { cpu: '2' } } }],
      ephemeralContainers: [{ name: 'debug' }],
    },
  };
  assert.deepEqual(updated(pods, old, write, 'ephemeralcontainers'), {
    metadata: { ...old.metadata, generation: 2, resourceVersion: '7' },
    spec: { ...old.spec, ephemeralContainers: [{ name: 'debug' }] },
    status: old.status,
  });
  assert.deepEqual(updated(pods, old, write, 'resize'), {
    metadata: { ...old.metadata, generation: 2, resourceVersion: '7' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '2' } } }],
    },
    status: old.status,
  });
});

test('who approves a certificate request cannot sign it and who signs cannot approve', () => {
  const requests = infoOf('certificates.k8s.io', 'certificatesigningrequests');
  const approved = { type: 'Approved', status: 'True' };
  const failed = { type: 'Failed', status: 'True' };
  const denied = { type: 'Denied', status: 'True' };
  const old = {
    metadata: { name: 'a' },
    spec: { request: 'r' },
    status: { conditions: [approved] },
  };
  const write = {
    metadata: { name: 'a' },
    spec: { request: 'x' },
    status: { certificate: 'c', conditions: [{ ...approved, reason: 'Mine' }, failed] },
  };
  const decided = { ...write, status: { conditions: [denied, failed] } };
  assert.deepEqual(updated(requests, old, write), old);
  assert.deepEqual(updated(requests, old, write, 'status')['status'], {
    certificate: 'c',
    conditions: [approved, failed],
  });
  const added = updated(requests, old, decided, 'status');
  assert.deepEqual(
    added['status'],
    { conditions: [denied, failed] },
    'validation has to see that a decision was added',
  );
  assert.deepEqual(updated(requests, old, decided, 'approval')['status'], {
    conditions: [denied, failed],
  });
});

test('a custom resource is known by its group, not by its kind', () => {
  const info = custom(true);
  const object = created(info, { spec: { a: 1 }, status: { b: 1 } });
  assert.deepEqual(object, { metadata: { name: 'a', generation: 1 }, spec: { a: 1 } });
  const old = { metadata: { name: 'a', generation: 1, labels: { l: '1' } }, spec: { a: 1 } };
  const write = { metadata: { name: 'a' }, spec: { a: 2 }, data: 1, status: { b: 1 } };
  assert.deepEqual(updated(info, old, write, 'status'), { ...old, status: { b: 1 } });
  assert.deepEqual(updated(info, old, write), {
    metadata: { name: 'a', generation: 2 },
    spec: { a: 2 },
    data: 1,
  });
  const withoutStatus = updated(custom(false), old, { ...old, status: { b: 1 } });
  assert.equal(withoutStatus.metadata.generation, 2);
  assert.deepEqual(resetFieldsOf(info, 'status'), ['spec', 'metadata']);
});

test('a daemon set counts the changes of its template', () => {
  const daemonSets = infoOf('apps', 'daemonsets');
  const key = 'deprecated.daemonset.template.generation';
  const old = {
    metadata: { name: 'a', generation: 2, annotations: { [key]: '2' } },
    spec: { template: { a: 1 } },
  };
  const same = updated(daemonSets, old, { ...old, metadata: { name: 'a' } });
  assert.equal(same.metadata.annotations?.[key], '2');
  const changed = updated(daemonSets, old, { ...old, spec: { template: { a: 2 } } });
  assert.equal(changed.metadata.annotations?.[key], '3');
});

test('fields of features that are off are taken away unless they are stored', () => {
  const info = infoOf('apps', 'statefulsets');
  const spec = (maxUnavailable: number): Record<string, unknown> => ({
    spec: { updateStrategy: { rollingUpdate: { partition: 1, maxUnavailable } } },
  });
  const rolling = (object: UnknownObject): unknown =>
    (object['spec'] as { updateStrategy: { rollingUpdate: unknown } }).updateStrategy.rollingUpdate;
  assert.deepEqual(rolling(created(info, spec(2))), { partition: 1 });
  const without = { spec: { updateStrategy: { rollingUpdate: {} } } };
  assert.deepEqual(rolling(updated(info, without, spec(2))), { partition: 1 });
  const kept = { partition: 1, maxUnavailable: 3 };
  assert.deepEqual(rolling(updated(info, spec(2), spec(3))), kept);
  const pod = created(pods, { spec: { containers: [], schedulingGroup: { podGroupName: 'a' } } });
  assert.deepEqual(pod['spec'], { containers: [] });
});
