import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { prepareForCreate, prepareForUpdate } from './mod.ts';
import { valueAt } from './paths.ts';
import { infoOf } from '../testing/info-of.ts';

function created(info: ResourceInfo, fields: object): UnknownObject {
  const object = structuredClone({ metadata: { name: 'a' }, ...fields }) as UnknownObject;
  prepareForCreate(info, object);
  return object;
}

function updated(info: ResourceInfo, old: object, fields: object, subresource = ''): UnknownObject {
  const object = structuredClone({ metadata: { name: 'a' }, ...fields }) as UnknownObject;
  const stored = structuredClone({ metadata: { name: 'a' }, ...old }) as UnknownObject;
  const before = JSON.stringify(stored);
  prepareForUpdate(info, object, stored, subresource);
  assert.equal(JSON.stringify(stored), before, 'the stored object stays as it is');
  return object;
}

const gatedPod = {
  containers: [
    { name: 'a', lifecycle: { stopSignal: 'SIGTERM' } },
    { name: 'b', lifecycle: { stopSignal: 'SIGTERM', preStop: { sleep: { seconds: 1 } } } },
  ],
  volumes: [
    {
      name: 'v',
      projected: {
        sources: [
          { clusterTrustBundle: { path: 'p' } },
          { podCertificate: { signerName: 'a/b' } },
          { secret: { name: 's' } },
        ],
      },
    },
  ],
};
const plainPod = {
  containers: [{ name: 'a' }, { name: 'b', lifecycle: { preStop: { sleep: { seconds: 1 } } } }],
  volumes: [{ name: 'v', projected: { sources: [{}, {}, { secret: { name: 's' } }] } }],
};

test('fields of pods whose features are off are dropped, in templates too', () => {
  const kinds: [group: string, resource: string, path: string][] = [
    ['', 'pods', 'spec'],
    ['', 'podtemplates', 'template.spec'],
    ['apps', 'deployments', 'spec.template.spec'],
    ['batch', 'jobs', 'spec.template.spec'],
    ['batch', 'cronjobs', 'spec.jobTemplate.spec.template.spec'],
  ];
  for (const [group, resource, path] of kinds) {
    const inside = (spec: object): object =>
      path.split('.').reduceRight<object>((value, step) => ({ [step]: value }), spec);
    const object = created(infoOf(group, resource), inside(gatedPod));
    assert.deepEqual(valueAt(object, path), plainPod, resource);
  }
});

test('a pod that uses such fields keeps them', () => {
  const pods = infoOf('', 'pods');
  const object = updated(pods, { spec: gatedPod }, { spec: gatedPod });
  assert.deepEqual(object['spec'], gatedPod);
  const status = updated(pods, { spec: gatedPod }, { spec: plainPod, status: {} }, 'status');
  assert.deepEqual(status['spec'], gatedPod);
});

test('a status write of a pod cannot take away what its generations were', () => {
  const old = {
    status: {
      observedGeneration: 3,
      qosClass: 'Burstable',
      conditions: [
        { type: 'Ready', status: 'True', observedGeneration: 3 },
        { type: 'Other', status: 'True' },
      ],
    },
  };
  const conditions = [{ type: 'Other' }, { type: 'Ready' }, { type: 'New' }];
  const pod = updated(infoOf('', 'pods'), old, { status: { conditions } }, 'status');
  assert.deepEqual(pod['status'], {
    observedGeneration: 3,
    qosClass: 'Burstable',
    conditions: [{ type: 'Other' }, { type: 'Ready', observedGeneration: 3 }, { type: 'New' }],
  });
  const newer = { observedGeneration: 4, conditions: [{ type: 'Ready', observedGeneration: 4 }] };
  const next = updated(infoOf('', 'pods'), old, { status: newer }, 'status');
  assert.deepEqual(next['status'], { ...newer, qosClass: 'Burstable' });
});

test('a resize that changes which containers there are is left to validation', () => {
  const old = { spec: { containers: [{ name: 'a', image: 'x' }] } };
  const containers = [{ name: 'b', image: 'x' }];
  const pod = updated(infoOf('', 'pods'), old, { spec: { containers } }, 'resize');
  assert.deepEqual(pod['spec'], { containers });
});

test('the data sources of a claim say the same, and garbage is dropped', () => {
  const claims = infoOf('', 'persistentvolumeclaims');
  const spec = (object: UnknownObject): unknown => object['spec'];
  const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
  const garbage = { kind: 'Foo', name: 's' };
  const both = { dataSource: snapshot, dataSourceRef: snapshot };
  assert.deepEqual(spec(created(claims, { spec: { dataSource: snapshot } })), both);
  assert.deepEqual(spec(created(claims, { spec: { dataSourceRef: snapshot } })), both);
  assert.deepEqual(spec(created(claims, { spec: { dataSource: garbage } })), {});
  const far = { dataSourceRef: { ...snapshot, namespace: 'other' } };
  assert.deepEqual(spec(created(claims, { spec: far })), {});
  assert.deepEqual(spec(updated(claims, { spec: far }, { spec: far })), far);
  assert.deepEqual(spec(updated(claims, { spec: both }, { spec: { dataSource: snapshot } })), both);
  assert.deepEqual(spec(updated(claims, { spec: {} }, { spec: { dataSource: garbage } })), {});
});

test('a node has no dynamic configuration unless it had one', () => {
  const nodes = infoOf('', 'nodes');
  const config = { spec: { configSource: {} }, status: { config: {} } };
  const node = created(nodes, config);
  assert.deepEqual([node['spec'], node['status']], [{}, {}]);
  assert.deepEqual(updated(nodes, config, config)['spec'], config.spec);
  assert.deepEqual(updated(nodes, {}, config, 'status')['status'], {});
});

test('a lease has no strategy while leaders are not coordinated', () => {
  const leases = infoOf('coordination.k8s.io', 'leases');
  const spec = { strategy: 'OldestEmulationVersion', preferredHolder: 'h', holderIdentity: 'h' };
  assert.deepEqual(created(leases, { spec })['spec'], { holderIdentity: 'h' });
  assert.deepEqual(updated(leases, { spec }, { spec })['spec'], spec);
});

test('devices carry no lists and no mappings of nodes, unless they had some', () => {
  const slices = infoOf('resource.k8s.io', 'resourceslices');
  const devices = [
    {
      name: 'd',
      attributes: { one: { string: 's' }, many: { strings: ['s'] } },
      nodeAllocatableResourceMappings: { cpu: {} },
    },
  ];
  const plain = [{ name: 'd', attributes: { one: { string: 's' }, many: {} } }];
  assert.deepEqual(created(slices, { spec: { devices } })['spec'], { devices: plain });
  assert.deepEqual(updated(slices, { spec: { devices } }, { spec: { devices } })['spec'], {
    devices,
  });
});

test('a service account names its secrets and nothing more of them', () => {
  const accounts = infoOf('', 'serviceaccounts');
  const secrets = [{ name: 's', namespace: 'n', kind: 'Secret', uid: 'u' }];
  assert.deepEqual(created(accounts, { secrets })['secrets'], [{ name: 's' }]);
  assert.deepEqual(updated(accounts, {}, { secrets })['secrets'], [{ name: 's' }]);
});

test('the old topology of endpoints cannot be written', () => {
  const slices = infoOf('discovery.k8s.io', 'endpointslices');
  const deprecatedTopology = { 'kubernetes.io/hostname': 'n1', zone: 'z' };
  const endpoints = [{ addresses: ['1.2.3.4'], deprecatedTopology }];
  assert.deepEqual(created(slices, { endpoints })['endpoints'], [{ addresses: ['1.2.3.4'] }]);
  assert.deepEqual(updated(slices, { endpoints }, { endpoints })['endpoints'], endpoints);
  const changed = [{ addresses: ['1.2.3.5'], deprecatedTopology }];
  assert.deepEqual(updated(slices, { endpoints }, { endpoints: changed })['endpoints'], [
    { addresses: ['1.2.3.5'], nodeName: 'n1' },
  ]);
});

test('a volume is born pending, and says since when', () => {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  const metadata = { name: 'a', creationTimestamp };
  const volume = created(infoOf('', 'persistentvolumes'), { metadata, spec: {} });
  const status = { phase: 'Pending', lastPhaseTransitionTime: creationTimestamp };
  assert.deepEqual(volume['status'], status);
});
