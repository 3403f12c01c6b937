import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { catalog } from '#schema/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';

import type { PathAnswer, PathRequest } from '../path-route.ts';
import { PathRouter } from '../path-route.ts';
import { createDiscovery } from './discovery-routes.ts';
import { compareVersions } from './group-order.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function setUp(more: ResourceInfo[] = []) {
  const resources = [...catalog.all, ...more];
  const discovery = createDiscovery({
    resources: () => resources,
    groups: catalog.groups(),
    serverAddress: '192.0.2.1:6443',
  });
  const router = new PathRouter();
  for (const route of discovery.routes) router.add(route);
  const get = async (path: string, headers: object = {}): Promise<PathAnswer | undefined> => {
    const context = { query: new URLSearchParams(), userAgent: 'test/1.0' };
    const request = { method: 'GET', path, headers, context } as unknown as PathRequest;
    return await router.find(path)?.handle(request);
  };
  const read = async (path: string, headers: object = {}) =>
    JSON.parse(String((await get(path, headers))?.body)) as Record<string, unknown>;
  return { resources, discovery, get, read };
}

const custom = (version: string): ResourceInfo => ({
  ...(catalog.all[0] as ResourceInfo),
  group: 'acme.com',
  version,
  resource: 'widgets',
  kind: 'Widget',
  subresources: [],
});

describe('discovery', () => {
  it('tells the versions of the core group and the groups in order', async () => {
    const { read } = setUp();
    assert.deepEqual(await read('/api'), {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '192.0.2.1:6443' }],
    });
    const { groups } = (await read('/apis')) as { groups: { name: string }[] };
    assert.deepEqual(
      groups.slice(0, 3).map(({ name }) => name),
      ['apiregistration.k8s.io', 'apps', 'events.k8s.io'],
    );
    assert.deepEqual(await read('/apis/autoscaling'), {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    });
  });

  it('lists resources with their subresources', async () => {
    const { read } = setUp();
    const list = (await read('/api/v1')) as { resources: { name: string }[] };
    const named = (name: string) => list.resources.find((entry) => entry.name === name);
    assert.deepEqual(named('pods'), {
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    });
    assert.deepEqual(named('pods/eviction'), {
      name: 'pods/eviction',
      singularName: '',
      namespaced: true,
      group: 'policy',
      version: 'v1',
      kind: 'Eviction',
      verbs: ['create'],
    });
    assert.equal((await read('/apis/apps/v1'))['groupVersion'], 'apps/v1');
  });

  it('knows nothing of groups that are not served', async () => {
    const { get } = setUp();
    for (const path of ['/apis/none', '/apis/apps/v2', '/api/v2', '/apis/apps/v1/deployments']) {
      assert.equal(await get(path), undefined, path);
    }
  });

  it('answers in the aggregated form to clients that prefer it', async () => {
    const { get, read } = setUp();
    const accept = `${aggregated},application/json`;
    const answer = await get('/apis', { accept });
    assert.equal(answer?.headers?.['content-type'], aggregated);
    const { items } = (await read('/apis', { accept })) as {
      items: { metadata: { name: string }; versions: { resources: { resource: string }[] }[] }[];
    };
    const apps = items.find((item) => item.metadata.name === 'apps');
    const found = apps?.versions[0]?.resources.find(({ resource }) => resource === 'deployments');
    assert.deepEqual(found, {
      resource: 'deployments',
      responseKind: { group: '', version: '', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: '', version: '', kind: 'Deployment' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    });
    const etag = answer?.headers?.['etag'] ?? '';
    const again = await get('/apis', { accept, 'if-none-match': etag });
    assert.equal(again?.status, 304);
    assert.equal((await read('/apis', { accept: 'application/json' }))['kind'], 'APIGroupList');
    const old = aggregated.replace('v=v2', 'v=v2beta1');
    assert.equal((await read('/apis', { accept: `${old},*/*` }))['kind'], 'APIGroupList');
  });

  it('takes in groups that come while it runs', async () => {
    const { resources, discovery, get, read } = setUp();
    assert.equal(await get('/apis/acme.com'), undefined);
    resources.push(custom('v1alpha1'), custom('v1'), custom('v1beta1'));
    discovery.invalidate();
    const group = (await read('/apis/acme.com')) as { versions: { version: string }[] };
    assert.deepEqual(
      group.versions.map(({ version }) => version),
      ['v1', 'v1beta1', 'v1alpha1'],
    );
    assert.ok(discovery.paths().includes('/apis/acme.com/v1beta1'));
  });

  it('orders version names as Kubernetes does', () => {
    const names = ['foo1', 'v1', 'v10', 'v2beta1', 'v3alpha1', 'v1beta2', 'v11alpha2', 'bar'];
    assert.deepEqual(names.sort(compareVersions), [
      'v10',
      'v1',
      'v2beta1',
      'v1beta2',
      'v11alpha2',
      'v3alpha1',
      'bar',
      'foo1',
    ]);
  });
});
