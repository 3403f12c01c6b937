import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { createDefaultIngressClass } from './default-ingress-class.ts';
import { createDefaultStorageClass } from './default-storage-class.ts';
import { createDefaultTolerationSeconds } from './default-toleration-seconds.ts';
import { admit } from './fake-attributes.ts';
import { createPodTopologyLabels } from './pod-topology-labels.ts';
import { createPriorityPlugin } from './priority.ts';
import { createRuntimeClassPlugin } from './runtime-class.ts';
import { createServiceAccountPlugin } from './service-account.ts';
import { createStorageObjectInUseProtection } from './storage-object-in-use.ts';
import { createTaintNodesByCondition } from './taint-nodes-by-condition.ts';

const pod = (spec: object = {}, annotations?: Record<string, string>): Pod => ({
  metadata: { namespace: 'ns', name: 'web', annotations },
  spec: { containers: [{ name: 'c' }], ...spec },
});

describe('ServiceAccount', () => {
  function setUp() {
    const reader = new FakeObjectReader();
    const clock = new FakeClock();
    const plugin = createServiceAccountPlugin({ reader, clock, random: seededRandom(1) });
    const account = (name: string, more: object = {}): void =>
      reader.put(resources.serviceAccounts, { metadata: { namespace: 'ns', name }, ...more });
    return { reader, clock, plugin, account };
  }

  it('gives a pod the default account and its token', async () => {
    const { plugin, account } = setUp();
    account('default', { imagePullSecrets: [{ name: 'pull' }] });
    const object = pod({ initContainers: [{ name: 'i' }] });
    await admit(plugin, { resource: 'pods', object });
    assert.equal(object.spec?.serviceAccountName, 'default');
    assert.equal(object.spec?.serviceAccount, 'default');
    assert.deepEqual(object.spec?.imagePullSecrets, [{ name: 'pull' }]);
    const [volume] = object.spec?.volumes ?? [];
    assert.match(volume?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
    const mount = {
      name: volume?.name,
      readOnly: true,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    };
    assert.deepEqual(object.spec?.containers[0]?.volumeMounts, [mount]);
    assert.deepEqual(object.spec?.initContainers?.[0]?.volumeMounts, [mount]);
    assert.deepEqual(volume?.projected, {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [
              {
                path: 'namespace',
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
              },
            ],
          },
        },
      ],
    });
  });

  it('mounts no token where the pod or the account says so', async () => {
    const { plugin, account } = setUp();
    account('quiet', { automountServiceAccountToken: false });
    const quiet = pod({ serviceAccountName: 'quiet' });
    await admit(plugin, { resource: 'pods', object: quiet });
    assert.equal(quiet.spec?.volumes, undefined);
    const loud = pod({ serviceAccountName: 'quiet', automountServiceAccountToken: true });
    await admit(plugin, { resource: 'pods', object: loud });
    assert.equal(loud.spec?.volumes?.length, 1);
  });

  it('refuses an account that does not exist', async () => {
    const { plugin } = setUp();
    const object = pod({ serviceAccountName: 'x' });
    await assert.rejects(admit(plugin, { resource: 'pods', object }), {
      httpCode: 403,
      message:
        'pods "web" is forbidden: error looking up service account ns/x: serviceaccount "x" not found',
    });
  });

  it('waits a moment for the default account of a new namespace', async () => {
    const { plugin, account, clock } = setUp();
    const object = pod();
    const done = admit(plugin, { resource: 'pods', object });
    await clock.advance(250);
    account('default');
    await clock.advance(100);
    await done;
    assert.equal(object.spec?.serviceAccountName, 'default');
  });

  it('leaves mirror pods alone, and keeps them from referring to anything', async () => {
    const { plugin } = setUp();
    const mirror = { 'kubernetes.io/config.mirror': 'x' };
    const object = pod({}, mirror);
    await admit(plugin, { resource: 'pods', object });
    assert.equal(object.spec?.serviceAccountName, undefined);
    const bad = pod({ serviceAccountName: 'a' }, mirror);
    await assert.rejects(admit(plugin, { resource: 'pods', object: bad }), {
      message: 'pods "web" is forbidden: a mirror pod may not reference service accounts',
    });
  });

  it('allows only secrets that the account lists when it says so', async () => {
    const { plugin, account } = setUp();
    account('strict', {
      metadata: {
        namespace: 'ns',
        name: 'strict',
        annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
      },
      secrets: [{ name: 'ok' }],
    });
    const using = (secretName: string): Pod =>
      pod({ serviceAccountName: 'strict', volumes: [{ name: 'v', secret: { secretName } }] });
    await admit(plugin, { resource: 'pods', object: using('ok') });
    await assert.rejects(admit(plugin, { resource: 'pods', object: using('other') }), {
      message:
        'pods "web" is forbidden: volume with secret.secretName="other" is not allowed because service account strict does not reference that secret',
    });
  });
});

describe('Priority', () => {
  function setUp() {
    const reader = new FakeObjectReader();
    const put = (name: string, value: number, globalDefault = false): void =>
      reader.put(resources.priorityClasses, {
        metadata: { name },
        value,
        globalDefault,
        preemptionPolicy: 'Never',
      } as never);
    return { put, plugin: createPriorityPlugin({ reader }) };
  }

  it('is 0 without a class, else what the class says', async () => {
    const { put, plugin } = setUp();
    const plain = pod();
    await admit(plugin, { resource: 'pods', object: plain });
    assert.equal(plain.spec?.priority, 0);
    assert.equal(plain.spec?.preemptionPolicy, 'PreemptLowerPriority');
    put('high', 1000);
    put('usual', 10, true);
    const high = pod({ priorityClassName: 'high' });
    await admit(plugin, { resource: 'pods', object: high });
    assert.equal(high.spec?.priority, 1000);
    assert.equal(high.spec?.preemptionPolicy, 'Never');
    const usual = pod();
    await admit(plugin, { resource: 'pods', object: usual });
    assert.equal(usual.spec?.priorityClassName, 'usual');
    assert.equal(usual.spec?.priority, 10);
  });

  it('refuses an unknown class and a number of its own', async () => {
    const { put, plugin } = setUp();
    put('high', 1000);
    await assert.rejects(
      admit(plugin, { resource: 'pods', object: pod({ priorityClassName: 'x' }) }),
      { message: 'pods "web" is forbidden: no PriorityClass with name x was found' },
    );
    await assert.rejects(
      admit(plugin, { resource: 'pods', object: pod({ priorityClassName: 'high', priority: 1 }) }),
      {
        message:
          'pods "web" is forbidden: the integer value of priority (1) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
      },
    );
  });

  it('keeps the values on update, and one default class', async () => {
    const { put, plugin } = setUp();
    const object = pod();
    await admit(plugin, { resource: 'pods', object, old: pod({ priority: 7 }) });
    assert.equal(object.spec?.priority, 7);
    put('usual', 10, true);
    const second = { metadata: { name: 'second' }, value: 1, globalDefault: true };
    await assert.rejects(
      admit(plugin, { resource: 'priorityclasses.scheduling.k8s.io', object: second }),
      { message: /PriorityClass usual is already marked as default. Only one default can exist$/ },
    );
  });
});

describe('plugins that fill something in', () => {
  it('tolerate nodes that are not ready for five minutes', async () => {
    const own = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' };
    const object = pod({ tolerations: [own] });
    await admit(createDefaultTolerationSeconds(), { resource: 'pods', object });
    assert.deepEqual(object.spec?.tolerations, [
      own,
      {
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
    ]);
  });

  it('taint a new node', async () => {
    const node = { metadata: { name: 'n' }, spec: undefined };
    await admit(createTaintNodesByCondition(), { resource: 'nodes', object: node });
    assert.deepEqual(node.spec, {
      taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
    });
  });

  it('choose the newest default storage class for claims that name none', async () => {
    const reader = new FakeObjectReader();
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    for (const [name, creationTimestamp] of [
      ['old', '2026-01-01T00:00:00Z'],
      ['b', '2026-01-02T00:00:00Z'],
      ['a', '2026-01-02T00:00:00Z'],
    ] as const) {
      reader.put(resources.storageClasses, { metadata: { name, creationTimestamp, annotations } });
    }
    const plugin = createDefaultStorageClass({ reader });
    const claim = { metadata: { namespace: 'ns', name: 'd' }, spec: {} as object };
    await admit(plugin, { resource: 'persistentvolumeclaims', object: claim });
    assert.deepEqual(claim.spec, { storageClassName: 'a' });
    const none = { metadata: { namespace: 'ns', name: 'd' }, spec: { storageClassName: '' } };
    await admit(plugin, { resource: 'persistentvolumeclaims', object: none });
    assert.deepEqual(none.spec, { storageClassName: '' });
  });

  it('choose the default ingress class', async () => {
    const reader = new FakeObjectReader();
    const resource = { group: 'networking.k8s.io', version: 'v1', resource: 'ingressclasses' };
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
    reader.put(resource, { metadata: { name: 'traefik', annotations } });
    const ingress = { metadata: { namespace: 'ns', name: 'i' }, spec: {} as object };
    const plugin = createDefaultIngressClass({ reader });
    await admit(plugin, { resource: 'ingresses.networking.k8s.io', object: ingress });
    assert.deepEqual(ingress.spec, { ingressClassName: 'traefik' });
  });

  it('protect claims and volumes in use', async () => {
    const plugin = createStorageObjectInUseProtection();
    const claim = { metadata: { namespace: 'ns', name: 'd', finalizers: ['x/y'] } };
    await admit(plugin, { resource: 'persistentvolumeclaims', object: claim });
    assert.deepEqual(claim.metadata.finalizers, ['x/y', 'kubernetes.io/pvc-protection']);
  });

  it('tell a bound pod where its node is', async () => {
    const reader = new FakeObjectReader();
    const labels = { 'topology.kubernetes.io/zone': 'z1', other: 'x' };
    reader.put(resources.nodes, { metadata: { name: 'n', labels } });
    const binding = { metadata: { namespace: 'ns', name: 'web' }, target: { name: 'n' } };
    const attributes = await admit(createPodTopologyLabels({ reader }), {
      resource: 'pods/binding',
      object: binding,
    });
    assert.deepEqual(attributes.object?.metadata.labels, { 'topology.kubernetes.io/zone': 'z1' });
  });

  it('add overhead and node choice of the runtime class', async () => {
    const reader = new FakeObjectReader();
    reader.put(resources.runtimeClasses, {
      metadata: { name: 'kata' },
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { kata: 'yes' } },
    } as never);
    const plugin = createRuntimeClassPlugin({ reader });
    const object = pod({ runtimeClassName: 'kata' });
    await admit(plugin, { resource: 'pods', object });
    assert.deepEqual(object.spec?.overhead, { cpu: '250m' });
    assert.deepEqual(object.spec?.nodeSelector, { kata: 'yes' });
    await assert.rejects(
      admit(plugin, { resource: 'pods', object: pod({ runtimeClassName: 'x' }) }),
      { message: 'pods "web" is forbidden: pod rejected: RuntimeClass "x" not found' },
    );
    const clash = pod({ runtimeClassName: 'kata', nodeSelector: { kata: 'no' } });
    await assert.rejects(admit(plugin, { resource: 'pods', object: clash }), {
      message:
        /conflict: runtimeClass.scheduling.nodeSelector\[kata\] = yes; pod.spec.nodeSelector\[kata\] = no$/,
    });
  });
});
