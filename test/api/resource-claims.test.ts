import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
});
after(() => api.close());

const claims = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';

test('a pod gets a claim of the template that it names, and takes it along', async () => {
  const template = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'gpu' },
    spec: {
      spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } },
    },
  };
  const path = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates';
  assert.equal((await api.request('POST', path, { body: template })).status, 201);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'worker' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { claims: [{ name: 'card' }] } }],
      resourceClaims: [{ name: 'card', resourceClaimTemplateName: 'gpu' }],
    },
  };
  await api.until(
    '/api/v1/namespaces/default/serviceaccounts/default',
    ({ status }) => status === 200,
  );
  const pods = '/api/v1/namespaces/default/pods';
  const made = await api.request('POST', pods, { body: pod });
  assert.equal(made.status, 201, made.text);
  const noted = await api.until(`${pods}/worker`, ({ json }) => {
    const { status } = json as { status?: { resourceClaimStatuses?: unknown[] } };
    return status?.resourceClaimStatuses !== undefined;
  });
  const { resourceClaimStatuses } = (
    noted.json as {
      status: { resourceClaimStatuses: { name: string; resourceClaimName: string }[] };
    }
  ).status;
  assert.equal(resourceClaimStatuses.length, 1);
  const resourceClaimName = resourceClaimStatuses[0]?.resourceClaimName ?? '';
  const claim = await api.request('GET', `${claims}/${resourceClaimName}`);
  assert.equal(claim.status, 200);
  await api.request('DELETE', `${pods}/worker`);
  await api.until(`${claims}/${resourceClaimName}`, ({ status }) => status === 404);
});

const field = (type: string, message: string, of: string) => ({ reason: type, message, field: of });

test('devices for administration are for namespaces that are labelled for it', async () => {
  const requests = [
    { name: 'plain', exactly: { deviceClassName: 'gpu' } },
    { name: 'all', exactly: { deviceClassName: 'gpu', adminAccess: true, allocationMode: 'All' } },
  ];
  const spec = { devices: { requests } };
  const refusal = field(
    'FieldValueForbidden',
    'Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    'spec.devices.requests[1].adminAccess',
  );
  const templates = claims.replace('resourceclaims', 'resourceclaimtemplates');
  for (const [path, body] of [
    [claims, { metadata: { name: 'admin' }, spec }],
    [templates, { metadata: { name: 'admin' }, spec: { spec } }],
  ] as const) {
    const refused = await api.request('POST', path, { body });
    assert.equal(refused.status, 422, refused.text);
    assert.deepEqual(refused.at('details.causes'), [refusal]);
    const labels = { 'resource.kubernetes.io/admin-access': 'true' };
    const metadata = { name: 'admins', labels };
    await api.request('POST', '/api/v1/namespaces', { body: { metadata } });
    const made = await api.request('POST', path.replace('/default/', '/admins/'), { body });
    assert.equal(made.status, 201, made.text);
  }
});

test('each part of the status of a claim needs a permission of its own', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const allow = async (name: string, resource: string, verbs: string[], more: object = {}) => {
    const rules = [{ verbs, apiGroups: ['resource.k8s.io'], resources: [resource], ...more }];
    const made = await api.request('POST', `${rbac}/clusterroles`, {
      body: { metadata: { name }, rules },
    });
    assert.equal(made.status, 201, made.text);
    const apiGroup = 'rbac.authorization.k8s.io';
    await api.request('POST', `${rbac}/clusterrolebindings`, {
      body: {
        metadata: { name },
        roleRef: { apiGroup, kind: 'ClusterRole', name },
        subjects: [{ apiGroup, kind: 'User', name: 'driver' }],
      },
    });
  };
  await allow('claim-status', 'resourceclaims/status', ['update']);
  const as = await api.identity('driver');
  const requests = [{ name: 'one', exactly: { deviceClassName: 'gpu' } }];
  const metadata = { name: 'bound' };
  const made = await api.request('POST', claims, {
    body: { metadata, spec: { devices: { requests } } },
  });
  assert.equal(made.status, 201, made.text);
  const device = { driver: 'gpu.acme.com', pool: 'p', device: 'd' };
  const allocation = { devices: { results: [{ request: 'one', ...device }] } };
  const write = async (status: object) =>
    await api.request('PUT', `${claims}/bound/status`, {
      as,
      body: { ...(made.json as object), metadata, status },
    });
  const unbound = await write({ allocation });
  assert.equal(unbound.status, 422, unbound.text);
  assert.deepEqual(unbound.at('details.causes'), [
    field(
      'FieldValueForbidden',
      'Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: resourceclaims.resource.k8s.io is forbidden: User "driver" cannot update resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
      'status',
    ),
  ]);
  await allow('claim-binding', 'resourceclaims/binding', ['update']);
  const bound = await write({ allocation });
  assert.equal(bound.status, 200, bound.text);
  const devices = [{ ...device, data: { a: 1 } }];
  const untold = await write({ allocation, devices });
  assert.match(
    String(untold.at('message')),
    /status.devices: Forbidden: changing status.devices requires resource="resourceclaims\/driver", verb="\[arbitrary-node:update\]" permission: resourceclaims.resource.k8s.io "gpu.acme.com" is forbidden: User "driver" cannot arbitrary-node:update resource "resourceclaims\/driver" in API group "resource.k8s.io" in the namespace "default"$/,
  );
  await allow('claim-driver', 'resourceclaims/driver', ['arbitrary-node:update'], {
    resourceNames: ['gpu.acme.com'],
  });
  const told = await write({ allocation, devices });
  assert.equal(told.status, 200, told.text);
});
