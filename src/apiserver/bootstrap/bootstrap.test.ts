import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  EndpointSlice,
  FlowSchema,
  Service,
} from '#schema/types.ts';

import { bootstrapCluster } from './bootstrap.ts';
import { reconcileApiServerEndpoints } from './kubernetes-service.ts';
import { defaultNodeRules, rbacDefaults } from './rbac-defaults.ts';
import { parseRule } from './rbac-entry.ts';
import { reconcileBinding, reconcileRole } from './rbac-reconcile.ts';

function setUp() {
  const client = createFakeClient();
  const options = {
    client,
    log: silentLogger,
    trust: { clientCa: 'CA', requestHeaderCa: 'RH', requestHeaderAllowedNames: ['proxy'] },
    serviceCidrs: ['10.43.0.0/16'],
    port: 6443,
    addresses: ['192.0.2.1'],
  };
  return { client, options };
}

describe('bootstrapping', () => {
  it('creates what every cluster has, once', async () => {
    const { client, options } = setUp();
    await bootstrapCluster(options);
    const count = async (resource: Parameters<typeof client.list>[0]) =>
      (await client.list(resource)).items.length;
    assert.equal(await count(resources.namespaces), 4);
    assert.equal(await count(resources.clusterRoles), 69);
    assert.equal(await count(resources.clusterRoleBindings), 50);
    assert.equal(await count(resources.roles), 7);
    assert.equal(await count(resources.roleBindings), 7);
    assert.equal(await count(resources.priorityClasses), 2);
    const service = await client.get<Service>(resources.services, 'kubernetes', {
      namespace: 'default',
    });
    assert.equal(service.spec?.clusterIP, '10.43.0.1');
    client.clearActions();
    await bootstrapCluster(options);
    assert.deepEqual(client.actions, [], 'a restart writes nothing');
  });

  it('follows the set of API servers', async () => {
    const { client, options } = setUp();
    await bootstrapCluster(options);
    await reconcileApiServerEndpoints({ ...options, addresses: ['192.0.2.2', '192.0.2.1'] });
    const slice = await client.get<EndpointSlice>(resources.endpointSlices, 'kubernetes', {
      namespace: 'default',
    });
    assert.deepEqual(
      slice.endpoints?.map((endpoint) => endpoint.addresses),
      [['192.0.2.1'], ['192.0.2.2']],
    );
  });

  it('puts changed trust right and keeps what others added', async () => {
    const { client, options } = setUp();
    await bootstrapCluster(options);
    const trust = { ...options.trust, clientCa: 'CA2' };
    await bootstrapCluster({ ...options, trust });
    const map = await client.get<ConfigMap>(
      resources.configMaps,
      'extension-apiserver-authentication',
      { namespace: 'kube-system' },
    );
    assert.equal(map.data?.['client-ca-file'], 'CA2');
  });

  it('gives a flow schema its spec back unless its owner opted out', async () => {
    const { client, options } = setUp();
    await bootstrapCluster(options);
    const resource = {
      group: 'flowcontrol.apiserver.k8s.io',
      version: 'v1',
      resource: 'flowschemas',
    };
    const change = async (name: string, autoupdate: string) => {
      const stored = await client.get<FlowSchema>(resource, name);
      const annotations = { 'apf.kubernetes.io/autoupdate-spec': autoupdate };
      const spec = { ...stored.spec, matchingPrecedence: 77 };
      const metadata = { ...stored.metadata, annotations };
      await client.update(resource, { ...stored, metadata, spec } as FlowSchema);
    };
    await change('probes', 'true');
    await change('service-accounts', 'false');
    await change('exempt', 'false');
    await bootstrapCluster(options);
    const precedence = async (name: string) =>
      (await client.get<FlowSchema>(resource, name)).spec?.matchingPrecedence;
    assert.equal(await precedence('probes'), 2);
    assert.equal(await precedence('service-accounts'), 77);
    assert.equal(await precedence('exempt'), 1, 'mandatory');
  });
});

describe('default roles', () => {
  const wanted = rbacDefaults();
  const named = (name: string): ClusterRole =>
    wanted.clusterRoles.find((role) => role.metadata.name === name) as ClusterRole;

  it('read rules from the table', () => {
    assert.deepEqual(parseRule('get,list core,apps pods,pods/log named a,b'), {
      verbs: ['get', 'list'],
      apiGroups: ['', 'apps'],
      resources: ['pods', 'pods/log'],
      resourceNames: ['a', 'b'],
    });
    assert.deepEqual(parseRule('get paths /healthz,/livez'), {
      verbs: ['get'],
      nonResourceURLs: ['/healthz', '/livez'],
    });
    assert.ok(defaultNodeRules().length > 10);
  });

  it('fill aggregated roles so that they work before the controller runs', () => {
    assert.ok((named('admin').rules ?? []).length > (named('edit').rules ?? []).length);
    assert.ok((named('view').rules ?? []).length > 0);
  });

  it('get missing rules back and keep extra ones', () => {
    const role = named('system:discovery');
    const extra = { verbs: ['get'], nonResourceURLs: ['/mine'] };
    assert.equal(reconcileRole(role, role).action, 'keep');
    const change = reconcileRole({ ...role, rules: [extra] }, role);
    assert.ok(change.action === 'update');
    assert.deepEqual(change.object.rules, [extra, ...(role.rules ?? [])]);
    const metadata = {
      ...role.metadata,
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' },
    };
    assert.equal(reconcileRole({ ...role, metadata, rules: [] }, role).action, 'keep');
  });

  it('get missing subjects back, and another role only by a new binding', () => {
    const binding = wanted.clusterRoleBindings[0] as ClusterRoleBinding;
    assert.equal(reconcileBinding(binding, binding).action, 'keep');
    const extra = { kind: 'User', name: 'me', apiGroup: 'rbac.authorization.k8s.io' };
    const change = reconcileBinding({ ...binding, subjects: [extra] }, binding);
    assert.ok(change.action === 'update');
    assert.deepEqual(change.object.subjects, [extra, ...(binding.subjects ?? [])]);
    const roleRef = { ...binding.roleRef, name: 'other' };
    assert.equal(reconcileBinding({ ...binding, roleRef }, binding).action, 'recreate');
  });
});
