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
