import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ApiStatusError } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Pod, ResourceQuota } from '#schema/types.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { admit } from './fake-attributes.ts';
import { createLimitRanger } from './limit-ranger/limit-ranger.ts';
import { createResourceQuota } from './quota/resource-quota.ts';

const pod = (container: object = {}, more: object = {}): Pod => ({
  metadata: { namespace: 'ns', name: 'web' },
  spec: { containers: [{ name: 'c', ...container }], ...more },
});

describe('LimitRanger', () => {
  function setUp(...limits: object[]) {
    const reader = new FakeObjectReader();
    const metadata = { namespace: 'ns', name: 'l' };
    reader.put(resources.limitRanges, { metadata, spec: { limits } } as never);
    return createLimitRanger({ reader });
  }

  it('fills in what containers leave out and says so', async () => {
    const plugin = setUp({
      type: 'Container',
      default: { cpu: '1', memory: '1Gi' },
      defaultRequest: { cpu: '100m', memory: '64Mi' },
    });
    const object = pod({ resources: { requests: { memory: '32Mi' } } });
    await admit(plugin, { resource: 'pods', object });
    assert.deepEqual(object.spec?.containers[0]?.resources, {
      requests: { memory: '32Mi', cpu: '100m' },
      limits: { cpu: '1', memory: '1Gi' },
    });
    assert.equal(
      object.metadata.annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c',
    );
  });

  const cases: [string, object, object, string | undefined][] = [
    [
      'too little',
      { type: 'Container', min: { cpu: '100m' } },
      { requests: { cpu: '50m' } },
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    [
      'nothing asked',
      { type: 'Container', min: { cpu: '100m' } },
      {},
      'minimum cpu usage per Container is 100m.  No request is specified',
    ],
    [
      'too much',
      { type: 'Container', max: { cpu: '1' } },
      { limits: { cpu: '2' } },
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [
      'no limit',
      { type: 'Pod', max: { memory: '1Gi' } },
      {},
      'maximum memory usage per Pod is 1Gi.  No limit is specified',
    ],
    [
      'too wide',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '500m' }, limits: { cpu: '2' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
    ],
    [
      'two things',
      { type: 'Container', max: { cpu: '1', memory: '1Gi' } },
      { limits: { cpu: '2', memory: '2Gi' } },
      '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
    ],
    [
      'just right',
      { type: 'Container', min: { cpu: '0.1' }, max: { cpu: '1000m' } },
      { requests: { cpu: '100m' }, limits: { cpu: '1' } },
      undefined,
    ],
  ];
  for (const [name, item, asked, expected] of cases) {
    it(`checks ${name}`, async () => {
      const run = admit(setUp(item), { resource: 'pods', object: pod({ resources: asked }) });
      if (expected === undefined) await run;
      else {
        await assert.rejects(run, {
          httpCode: 403,
          message: `pods "web" is forbidden: ${expected}`,
        });
      }
    });
  }

  it('checks the size of claims', async () => {
    const plugin = setUp({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } });
    const claim = {
      metadata: { namespace: 'ns', name: 'd' },
      spec: { resources: { requests: { storage: '2Gi' } } },
    };
    await assert.rejects(admit(plugin, { resource: 'persistentvolumeclaims', object: claim }), {
      message: /maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi$/,
    });
  });
});

describe('ResourceQuota', () => {
  function setUp(hard: Record<string, string>, used: Record<string, string>, more: object = {}) {
    const reader = new FakeObjectReader();
    const metadata = { namespace: 'ns', name: 'q' };
    const put = (now: Record<string, string>): void =>
      reader.put(resources.resourceQuotas, {
        metadata,
        spec: { hard, ...more },
        status: { hard, used: now },
      } as never);
    put(used);
    const writes: Record<string, string>[] = [];
    let conflicts = 0;
    const plugin = createResourceQuota({
      reader,
      writer: {
        async updateUsed(_quota: ResourceQuota, next) {
          if (conflicts-- > 0) {
            put({ ...used, pods: '2' });
            throw new ApiStatusError({ httpCode: 409, reason: 'Conflict', message: 'x' });
          }
          writes.push(next);
          put(next);
        },
      },
    });
    const failOnce = (): void => void (conflicts = 1);
    return { plugin, writes, failOnce };
  }

  it('books what it lets in and refuses what has no room', async () => {
    const { plugin, writes } = setUp({ pods: '2' }, { pods: '1' });
    await admit(plugin, { resource: 'pods', object: pod() });
    assert.deepEqual(writes, [{ pods: '2' }]);
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), {
      httpCode: 403,
      message:
        'pods "web" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    });
  });

  it('lets only one of two at once into the last place', async () => {
    const { plugin, writes } = setUp({ pods: '1' }, { pods: '0' });
    const both = await Promise.allSettled([
      admit(plugin, { resource: 'pods', object: pod() }),
      admit(plugin, { resource: 'pods', object: pod() }),
    ]);
    assert.deepEqual(both.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
    assert.equal(writes.length, 1);
  });

  it('looks again when another server booked in between', async () => {
    const { plugin, failOnce } = setUp({ pods: '2' }, { pods: '0' });
    failOnce();
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), {
      message: /used: pods=2, limited: pods=2$/,
    });
  });

  it('wants amounts that it bounds to be given', async () => {
    const hard = { 'limits.cpu': '2', 'requests.cpu': '1' };
    const { plugin } = setUp(hard, { 'limits.cpu': '0', 'requests.cpu': '0' });
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), {
      message:
        'pods "web" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.cpu for: c',
    });
  });

  it('refuses while the use is not known yet', async () => {
    const { plugin } = setUp({ pods: '2' }, {});
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), {
      message: /status unknown for quota: q, resources: pods$/,
    });
  });

  it('counts only pods in its scope', async () => {
    const { plugin, writes } = setUp({ pods: '0' }, { pods: '0' }, { scopes: ['BestEffort'] });
    const object = pod({ resources: { requests: { cpu: '1' } } });
    await admit(plugin, { resource: 'pods', object });
    assert.deepEqual(writes, []);
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), { httpCode: 403 });
  });

  it('counts node ports and other objects', async () => {
    const hard = { 'services.nodeports': '1', 'count/deployments.apps': '0' };
    const used = { 'services.nodeports': '0', 'count/deployments.apps': '0' };
    const { plugin } = setUp(hard, used);
    const metadata = { namespace: 'ns', name: 's' };
    const service = { metadata, spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } };
    await assert.rejects(admit(plugin, { resource: 'services', object: service }), {
      message:
        /requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1$/,
    });
    await assert.rejects(admit(plugin, { resource: 'deployments.apps', object: { metadata } }), {
      message: /requested: count\/deployments.apps=1/,
    });
  });

  it('does not bound before its status is known, and never events', async () => {
    const reader = new FakeObjectReader();
    const spec = { hard: { pods: '0', 'count/events': '0' } };
    const metadata = { namespace: 'ns', name: 'q' };
    reader.put(resources.resourceQuotas, { metadata, spec } as never);
    const plugin = createResourceQuota({ reader, writer: { updateUsed: async () => undefined } });
    await admit(plugin, { resource: 'pods', object: pod() });
    const status = { hard: spec.hard, used: { pods: '0', 'count/events': '0' } };
    reader.put(resources.resourceQuotas, { metadata, spec, status } as never);
    await assert.rejects(admit(plugin, { resource: 'pods', object: pod() }), { httpCode: 403 });
    await admit(plugin, {
      resource: 'events',
      object: { metadata: { namespace: 'ns', name: 'e' } },
    });
  });

  const claim = (storage: string, more: object = {}, status: object = {}): object => ({
    metadata: { namespace: 'ns', name: 'd', resourceVersion: '1' },
    spec: { resources: { requests: { storage } }, ...more },
    status,
  });
  const storage = { 'requests.storage': '2Gi' };

  it('gives nothing back before the controller saw the smaller object', async () => {
    const { plugin, writes } = setUp(storage, { 'requests.storage': '5Gi' });
    const resource = 'persistentvolumeclaims';
    await admit(plugin, { resource, object: claim('3Gi'), old: claim('5Gi') });
    assert.deepEqual(writes, []);
    await assert.rejects(admit(plugin, { resource, object: claim('6Gi'), old: claim('5Gi') }), {
      message: /requested: requests.storage=1Gi, used: requests.storage=5Gi, limited: .*=2Gi$/,
    });
  });

  it('charges all of an object that an update moves into its scope', async () => {
    const scopeSelector = {
      matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['gold'] }],
    };
    const { plugin, writes } = setUp(storage, { 'requests.storage': '0' }, { scopeSelector });
    const resource = 'persistentvolumeclaims';
    const gold = { volumeAttributesClassName: 'gold' };
    await admit(plugin, { resource, object: claim('1Gi', gold), old: claim('1Gi') });
    assert.deepEqual(writes, [{ 'requests.storage': '1Gi' }]);
    await assert.rejects(
      admit(plugin, { resource, object: claim('2Gi', gold), old: claim('2Gi') }),
      { message: /exceeded quota: q, requested: requests.storage=2Gi, used: .*=1Gi/ },
    );
  });

  it('books what the status of a claim adds, without a limit', async () => {
    const { plugin, writes } = setUp(storage, { 'requests.storage': '2Gi' });
    const grown = claim('2Gi', {}, { allocatedResources: { storage: '3Gi' } });
    const resource = 'persistentvolumeclaims/status';
    await admit(plugin, { resource, object: grown, old: claim('2Gi') });
    assert.deepEqual(writes, [{ 'requests.storage': '3Gi' }]);
  });

  it('lets what the configuration limits in only where a quota covers it', async () => {
    const reader = new FakeObjectReader();
    const limited = [
      { apiGroup: '', resource: 'services', matchContains: ['loadbalancers'], matchScopes: [] },
      {
        apiGroup: '',
        resource: 'pods',
        matchContains: [],
        matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
      },
    ];
    const writer = { updateUsed: async () => undefined };
    const plugin = createResourceQuota({ reader, writer, limited });
    const metadata = { namespace: 'ns', name: 's' };
    const service = { metadata, spec: { type: 'LoadBalancer', ports: [] } };
    await assert.rejects(admit(plugin, { resource: 'services', object: service }), {
      message: 'services "s" is forbidden: insufficient quota to consume: services.loadbalancers',
    });
    const object = pod({}, { priorityClassName: 'high' });
    await assert.rejects(admit(plugin, { resource: 'pods', object }), {
      httpCode: 500,
      message: 'insufficient quota to match these scopes: [{PriorityClass In [high]}]',
    });
    const hard = { pods: '1', 'services.loadbalancers': '1' };
    const used = { pods: '0', 'services.loadbalancers': '0' };
    const status = { hard, used };
    const scopeSelector = { matchExpressions: limited[1]?.matchScopes };
    const quota = { metadata: { namespace: 'ns', name: 'q' }, spec: { hard }, status };
    reader.put(resources.resourceQuotas, quota);
    await admit(plugin, { resource: 'services', object: service });
    const scoped = {
      ...quota,
      metadata: { namespace: 'ns', name: 'p' },
      spec: { hard, scopeSelector },
    };
    reader.put(resources.resourceQuotas, scoped);
    await admit(plugin, { resource: 'pods', object });
  });

  it('counts devices that claims ask for by class', async () => {
    const name = 'gpu.deviceclass.resource.k8s.io/devices';
    const { plugin } = setUp({ [name]: '2' }, { [name]: '0' });
    const request = { name: 'a', exactly: { deviceClassName: 'gpu', count: 3 } };
    const object = {
      metadata: { namespace: 'ns', name: 'c' },
      spec: { devices: { requests: [request] } },
    };
    await assert.rejects(admit(plugin, { resource: 'resourceclaims.resource.k8s.io', object }), {
      message: /requested: gpu.deviceclass.resource.k8s.io\/devices=3, used: /,
    });
  });
});
