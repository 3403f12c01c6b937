/** Admission plugins of a running server as clients meet them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { readApiServerArgs } from '#server/api-server-args/mod.ts';

import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

let api: TestApi;

before(async () => {
  api = await startTestApi();
});
after(() => api.close());

describe('Pod Security', () => {
  test('kubectl shows which pods a stricter namespace would not let in', async () => {
    assert.equal((await api.kubectl(['create', 'namespace', 'strict'])).code, 0);
    const pod = (name: string) => ({
      metadata: { name },
      spec: { hostNetwork: true, containers: [{ name: 'c', image: 'i' }] },
    });
    for (const name of ['a', 'b']) {
      const made = await api.request('POST', '/api/v1/namespaces/strict/pods', { body: pod(name) });
      assert.equal(made.status, 201, made.text);
    }
    const label = 'pod-security.kubernetes.io/enforce=restricted';
    const shown = await api.kubectl(['label', 'namespace', 'strict', label]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(
      shown.stderr,
      /^Warning: existing pods in namespace "strict" violate the new PodSecurity enforce level "restricted:latest"\nWarning: a \(and 1 other pod\): host namespaces, allowPrivilegeEscalation != false, /m,
    );
    const refused = await api.request('POST', '/api/v1/namespaces/strict/pods', { body: pod('c') });
    assert.equal(refused.status, 403);
    assert.match(
      String(refused.at('message')),
      /^pods "c" is forbidden: violates PodSecurity "restricted:latest": host namespaces \(hostNetwork=true\), /,
    );
    const deployment = ['create', 'deployment', 'd', '--image=i', '--namespace=strict'];
    assert.match(
      (await api.kubectl(deployment)).stderr,
      /^Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
    );
    const bad = await api.kubectl([
      'label',
      'namespace',
      'strict',
      '--overwrite',
      'pod-security.kubernetes.io/warn=loose',
    ]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /must be one of privileged, baseline, restricted/);
  });
});

test('policies see which controller asks', async () => {
  const group = '/apis/admissionregistration.k8s.io/v1';
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: ['pods'],
  };
  const who = 'system:serviceaccount:kube-system:replicaset-controller';
  await api.request('POST', `${group}/validatingadmissionpolicies`, {
    body: {
      metadata: { name: 'no-replicas' },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [
          {
            expression: `request.userInfo.username != "${who}"`,
            messageExpression: '"no pods of " + request.userInfo.groups[1]',
          },
        ],
      },
    },
  });
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'default' } };
  await api.request('POST', `${group}/validatingadmissionpolicybindings`, {
    body: {
      metadata: { name: 'no-replicas' },
      spec: {
        policyName: 'no-replicas',
        validationActions: ['Deny'],
        matchResources: { namespaceSelector },
      },
    },
  });
  await api.until('/api/v1/namespaces/default/serviceaccounts/default', (a) => a.status === 200);
  assert.equal((await api.kubectl(['create', 'deployment', 'web', '--image=i'])).code, 0);
  const refused = await api.until('/apis/apps/v1/namespaces/default/replicasets', (answer) =>
    answer.text.includes('ReplicaFailure'),
  );
  assert.match(
    refused.text,
    /'no-replicas' with binding 'no-replicas' denied request: no pods of system:serviceaccounts:kube-system/,
  );
});

describe('plugins that are off by default', () => {
  test('act with what the configuration file says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'k3ts-admission-'));
    const file = join(folder, 'admission.json');
    const limitedResources = [{ resource: 'services', matchContains: ['services.loadbalancers'] }];
    const plugins = [{ name: 'ResourceQuota', configuration: { limitedResources } }];
    await writeFile(file, JSON.stringify({ kind: 'AdmissionConfiguration', plugins }));
    const own = await startTestApi({
      apiServerArgs: readApiServerArgs([
        `admission-control-config-file=${file}`,
        'enable-admission-plugins=NamespaceAutoProvision,AlwaysPullImages',
      ]),
    });
    try {
      const made = await own.request('POST', '/api/v1/namespaces/fresh/configmaps', {
        body: { metadata: { name: 'c' } },
      });
      assert.equal(made.status, 201, made.text);
      const spec = { containers: [{ name: 'c', image: 'i', imagePullPolicy: 'Never' }] };
      await own.until('/api/v1/namespaces/fresh/serviceaccounts/default', (a) => a.status === 200);
      const pod = await own.request('POST', '/api/v1/namespaces/fresh/pods', {
        body: { metadata: { name: 'p' }, spec },
      });
      assert.equal(pod.at('spec.containers.0.imagePullPolicy'), 'Always', pod.text);
      const service = await own.request('POST', '/api/v1/namespaces/fresh/services', {
        body: { metadata: { name: 's' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
      });
      assert.equal(
        service.at('message'),
        'services "s" is forbidden: insufficient quota to consume: services.loadbalancers',
      );
    } finally {
      await own.close();
      await rm(folder, { recursive: true });
    }
  });
});
