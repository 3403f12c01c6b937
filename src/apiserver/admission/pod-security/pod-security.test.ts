import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { resources } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { admit } from '../fake-attributes.ts';
import { createPodSecurity } from './pod-security.ts';

const pod = (container: object = {}, more: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'ns' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...more },
});

describe('PodSecurity', () => {
  function setUp(labels: Record<string, string>) {
    const reader = new FakeObjectReader();
    const prefixed = Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
    );
    reader.put(resources.namespaces, { metadata: { name: 'ns', labels: prefixed } });
    return createPodSecurity({ reader, clock: new FakeClock() });
  }
  const good = {
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };

  const cases: [string, string, Pod, string | undefined][] = [
    ['privileged', 'anything', pod({ securityContext: { privileged: true } }), undefined],
    ['baseline', 'a plain pod', pod(), undefined],
    [
      'baseline',
      'a privileged container',
      pod({ securityContext: { privileged: true } }),
      'violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)',
    ],
    [
      'baseline',
      'host access, in order of check',
      pod(
        { ports: [{ containerPort: 80, hostPort: 80 }] },
        { hostNetwork: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      ),
      'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPath volumes (volume "v"), hostPort (container "c" uses hostPort 80)',
    ],
    [
      'baseline',
      'an unsafe sysctl',
      pod({}, { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
      'violates PodSecurity "baseline:latest": forbidden sysctls (kernel.msgmax)',
    ],
    ['restricted', 'a hardened pod', pod(good), undefined],
    [
      'restricted',
      'a plain pod',
      pod(),
      'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      'restricted',
      'a volume of a wrong type',
      pod(good, { volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }),
      'violates PodSecurity "restricted:latest": restricted volume types (volume "v" uses restricted volume type "nfs")',
    ],
  ];
  for (const [level, name, object, expected] of cases) {
    it(`answers for ${name} at ${level}`, async () => {
      const run = admit(setUp({ enforce: level }), { resource: 'pods', object });
      if (expected === undefined) await run;
      else await assert.rejects(run, { message: `pods "web" is forbidden: ${expected}` });
    });
  }

  it('warns about templates and lets them pass', async () => {
    const plugin = setUp({ enforce: 'baseline', warn: 'baseline', 'warn-version': 'v1.30' });
    const object = {
      metadata: { namespace: 'ns', name: 'd' },
      spec: { template: { spec: { hostPID: true, containers: [] } } },
    };
    const attributes = await admit(plugin, { resource: 'deployments.apps', object });
    assert.deepEqual(
      [...attributes.context.warnings],
      ['would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)'],
    );
  });

  it('lets old pods change what it does not look at', async () => {
    const plugin = setUp({ enforce: 'restricted' });
    const object = pod();
    object.metadata.labels = { a: 'b' };
    await admit(plugin, { resource: 'pods', object, old: pod() });
  });

  it('looks at pods again when they get another image', async () => {
    const plugin = setUp({ enforce: 'restricted' });
    const object = pod({ image: 'other' });
    await assert.rejects(admit(plugin, { resource: 'pods', object, old: pod() }), {
      reason: 'Forbidden',
    });
  });

  it('warns by the level that is enforced where a namespace names none', async () => {
    const plugin = setUp({ enforce: 'baseline', 'enforce-version': 'v1.30' });
    const object = {
      metadata: { namespace: 'ns', name: 'd' },
      spec: { template: { spec: { hostPID: true, containers: [] } } },
    };
    const attributes = await admit(plugin, { resource: 'deployments.apps', object });
    assert.deepEqual(
      [...attributes.context.warnings],
      ['would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)'],
    );
  });

  it('counts what it decides', async () => {
    const metrics = new MetricRegistry();
    const reader = new FakeObjectReader();
    reader.put(resources.namespaces, { metadata: { name: 'ns' } });
    const plugin = createPodSecurity({ reader, clock: new FakeClock(), metrics });
    await admit(plugin, { resource: 'pods', object: pod() });
    assert.match(
      await metrics.render(),
      /^pod_security_evaluations_total{decision="allow",mode="enforce",policy_level="privileged",policy_version="latest",request_operation="create",resource="pod",subresource=""} 1$/m,
    );
  });
});

describe('PodSecurity for namespaces', () => {
  const namespace = (labels: Record<string, string>) => ({
    metadata: {
      name: 'ns',
      labels: Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
      ),
    },
  });
  const write = async (
    next: Record<string, string>,
    old?: Record<string, string>,
    pods: readonly Pod[] = [],
    exempt: readonly string[] = [],
  ) => {
    const reader = new FakeObjectReader();
    for (const one of pods) reader.put(resources.pods, one);
    const exemptions = { usernames: [], namespaces: exempt, runtimeClasses: [] };
    const podSecurity = { defaults: {}, exemptions };
    const plugin = createPodSecurity({ reader, clock: new FakeClock(), podSecurity });
    const { context } = await admit(plugin, {
      resource: 'namespaces',
      object: namespace(next),
      ...(old === undefined ? {} : { old: namespace(old) }),
    });
    return [...context.warnings];
  };

  it('refuses labels that mean nothing, but for those that did before', async () => {
    const bad = { enforce: 'strict', 'warn-version': '1.2' };
    await assert.rejects(write(bad), {
      httpCode: 422,
      message:
        'Namespace "ns" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
    });
    assert.deepEqual(await write(bad, bad), []);
    await assert.rejects(write(bad, {}), { httpCode: 422 });
  });

  it('names pods that a stricter level would not let in', async () => {
    const named = (name: string, more: object = {}, container: object = {}): Pod => ({
      ...pod(container, more),
      metadata: { name, namespace: 'ns' },
    });
    const pods = [
      named('b', { hostNetwork: true }),
      named('a', { hostNetwork: true }),
      named('c', { hostNetwork: true }),
      named('d', {}, { securityContext: { privileged: true } }),
      named('fine'),
    ];
    assert.deepEqual(await write({ enforce: 'baseline' }, {}, pods), [
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
      'd: privileged',
    ]);
    assert.deepEqual(await write({ enforce: 'privileged' }, { enforce: 'baseline' }, pods), []);
    assert.deepEqual(await write({ enforce: 'baseline' }, { enforce: 'restricted' }, pods), []);
  });

  it('says that labels of an exempt namespace are idle', async () => {
    const text =
      'namespace "ns" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored';
    assert.deepEqual(await write({ enforce: 'baseline' }, undefined, [], ['ns']), [text]);
    assert.deepEqual(await write({ enforce: 'baseline' }, {}, [], ['ns']), [text]);
  });
});
