import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDefaults } from './apply.ts';
import { defaultPullPolicy } from './pods.ts';

type Json = Record<string, unknown>;

function defaulted(typeName: string, object: Json): Json {
  applyDefaults(object, `io.k8s.api.${typeName}`);
  return object;
}

const container = { name: 'web', image: 'nginx' };
const containerDefaults = {
  imagePullPolicy: 'Always',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const podSpecDefaults = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};
const template = () => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ ...container }] },
});
const templateDefaulted = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ ...container, ...containerDefaults }], ...podSpecDefaults },
};

test('a minimal Pod', () => {
  assert.deepEqual(defaulted('core.v1.Pod', { spec: { containers: [{ ...container }] } }), {
    metadata: {},
    spec: {
      containers: [{ ...container, ...containerDefaults }],
      ...podSpecDefaults,
      enableServiceLinks: true,
    },
    status: {},
  });
});

test('a Pod with ports, probes, volumes and limits', () => {
  const pod = defaulted('core.v1.Pod', {
    spec: {
      hostNetwork: true,
      serviceAccount: 'robot',
      containers: [
        {
          ...container,
          image: 'registry:5000/nginx:1.27',
          ports: [{ containerPort: 80 }],
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { grpc: { port: 1 }, periodSeconds: 0, timeoutSeconds: 5 },
          env: [
            { name: 'A', value: '' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          ],
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
        },
      ],
      volumes: [
        { name: 'scratch' },
        { name: 'config', configMap: { name: 'c' } },
        { name: 'host', hostPath: { path: '/var' } },
        { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
    },
  });
  assert.deepEqual(pod['spec'], {
    ...podSpecDefaults,
    enableServiceLinks: true,
    hostNetwork: true,
    serviceAccount: 'robot',
    serviceAccountName: 'robot',
    containers: [
      {
        ...containerDefaults,
        name: 'web',
        image: 'registry:5000/nginx:1.27',
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
        livenessProbe: {
          httpGet: { path: '/', port: 80, scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        readinessProbe: {
          grpc: { port: 1, service: '' },
          timeoutSeconds: 5,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        env: [
          { name: 'A' },
          { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
        ],
        resources: {
          limits: { cpu: '1', memory: '1Gi' },
          requests: { cpu: '500m', memory: '1Gi' },
        },
      },
    ],
    volumes: [
      { name: 'scratch', emptyDir: {} },
      { name: 'config', configMap: { name: 'c', defaultMode: 420 } },
      { name: 'host', hostPath: { path: '/var', type: '' } },
      {
        name: 'token',
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }],
        },
      },
    ],
  });
});

test('pod-level requests come from the containers, else from the pod’s limits', () => {
  const { spec } = defaulted('core.v1.Pod', {
    spec: {
      resources: { limits: { cpu: '2', memory: '1Gi' } },
      containers: [
        { name: 'a', resources: { requests: { cpu: '100m' } } },
        { name: 'b', resources: { requests: { cpu: '200m' } } },
      ],
    },
  }) as { spec: Json };
  assert.deepEqual(spec['resources'], {
    limits: { cpu: '2', memory: '1Gi' },
    requests: { cpu: '300m', memory: '1Gi' },
  });
});

test('a minimal Deployment', () => {
  const selector = { matchLabels: { app: 'web' } };
  assert.deepEqual(defaulted('apps.v1.Deployment', { spec: { selector, template: template() } }), {
    metadata: {},
    spec: {
      progressDeadlineSeconds: 600,
      replicas: 1,
      revisionHistoryLimit: 10,
      selector,
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      template: templateDefaulted,
    },
    status: {},
  });
});

test('a Deployment that is scaled to nothing and recreates keeps both', () => {
  const { spec } = defaulted('apps.v1.Deployment', {
    spec: { replicas: 0, strategy: { type: 'Recreate' }, template: template() },
  }) as { spec: Json };
  assert.equal(spec['replicas'], 0);
  assert.deepEqual(spec['strategy'], { type: 'Recreate' });
});

test('a minimal StatefulSet with a claim template', () => {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  const set = defaulted('apps.v1.StatefulSet', {
    spec: { serviceName: 'db', template: template(), volumeClaimTemplates: [claim] },
  });
  assert.deepEqual(set, {
    metadata: {},
    spec: {
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      podManagementPolicy: 'OrderedReady',
      replicas: 1,
      revisionHistoryLimit: 10,
      serviceName: 'db',
      template: templateDefaulted,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { ...claim.spec, volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
    },
    status: { replicas: 0, availableReplicas: 0 },
  });
});

test('a minimal DaemonSet', () => {
  assert.deepEqual(defaulted('apps.v1.DaemonSet', { spec: { template: template() } }), {
    metadata: { annotations: { 'deprecated.daemonset.template.generation': '0' } },
    spec: {
      revisionHistoryLimit: 10,
      template: templateDefaulted,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    },
    status: {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    },
  });
});

test('a minimal Job takes labels from its template', () => {
  const { metadata, spec } = defaulted('batch.v1.Job', { spec: { template: template() } }) as {
    metadata: Json;
    spec: Json;
  };
  assert.deepEqual(metadata, { labels: { app: 'web' } });
  assert.deepEqual(
    { ...spec, template: undefined },
    {
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 1,
      manualSelector: false,
      parallelism: 1,
      podReplacementPolicy: 'TerminatingOrFailed',
      suspend: false,
      template: undefined,
    },
  );
});

test('a Job with parallelism alone has no completions', () => {
  const { spec } = defaulted('batch.v1.Job', {
    spec: { parallelism: 3, template: template() },
  }) as {
    spec: Json;
  };
  assert.equal(spec['completions'], undefined);
  assert.equal(spec['parallelism'], 3);
});

test('a minimal CronJob leaves its job template without job defaults', () => {
  const cron = defaulted('batch.v1.CronJob', {
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } } },
  });
  assert.deepEqual(cron['spec'], {
    concurrencyPolicy: 'Allow',
    failedJobsHistoryLimit: 1,
    jobTemplate: { metadata: {}, spec: { template: templateDefaulted } },
    schedule: '* * * * *',
    successfulJobsHistoryLimit: 3,
    suspend: false,
  });
});

const services: ReadonlyArray<readonly [given: Json, expected: Json]> = [
  [
    { ports: [{ port: 80 }] },
    {
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  ],
  [
    { type: 'LoadBalancer', sessionAffinity: 'ClientIP', ports: [{ port: 80, targetPort: 'web' }] },
    {
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 'web' }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
      type: 'LoadBalancer',
    },
  ],
  [
    { type: 'ExternalName', externalName: 'example.org' },
    { externalName: 'example.org', sessionAffinity: 'None', type: 'ExternalName' },
  ],
];

test('Services by type', () => {
  for (const [given, expected] of services) {
    const service = defaulted('core.v1.Service', { spec: given });
    assert.deepEqual(service['spec'], expected);
    assert.deepEqual(service['status'], { loadBalancer: {} });
  }
});

const others: ReadonlyArray<readonly [type: string, given: Json, expected: Json]> = [
  [
    'core.v1.PersistentVolumeClaim',
    { spec: { resources: {} } },
    {
      metadata: {},
      spec: { resources: {}, volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    },
  ],
  [
    'core.v1.PersistentVolume',
    { spec: { capacity: { storage: '1Gi' } } },
    {
      metadata: {},
      spec: {
        capacity: { storage: '1Gi' },
        persistentVolumeReclaimPolicy: 'Retain',
        volumeMode: 'Filesystem',
      },
      status: { phase: 'Pending' },
    },
  ],
  [
    'core.v1.Namespace',
    { metadata: { name: 'a', labels: {} } },
    {
      metadata: { name: 'a', labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: {},
      status: { phase: 'Active' },
    },
  ],
  [
    'core.v1.Secret',
    { data: { a: 'MQ==' }, stringData: { b: 'two' } },
    { metadata: {}, type: 'Opaque', data: { a: 'MQ==', b: 'dHdv' } },
  ],
  ['core.v1.ConfigMap', { data: {}, immutable: false }, { metadata: {}, immutable: false }],
  [
    'core.v1.LimitRange',
    { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
    {
      metadata: {},
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2' },
            min: { memory: '1Mi' },
            default: { cpu: '2' },
            defaultRequest: { cpu: '2', memory: '1Mi' },
          },
        ],
      },
    },
  ],
  [
    'networking.v1.Ingress',
    { spec: { rules: [{ host: 'a' }] } },
    { metadata: {}, spec: { rules: [{ host: 'a' }] }, status: { loadBalancer: {} } },
  ],
  [
    'networking.v1.NetworkPolicy',
    { spec: { podSelector: {}, egress: [{}], ingress: [] } },
    {
      metadata: {},
      spec: { podSelector: {}, egress: [{}], policyTypes: ['Ingress', 'Egress'] },
    },
  ],
  [
    'rbac.v1.RoleBinding',
    {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ],
    },
    {
      metadata: {},
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ],
    },
  ],
  [
    'storage.v1.StorageClass',
    { provisioner: 'p' },
    { metadata: {}, provisioner: 'p', reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  ],
];

test('other kinds', () => {
  for (const [type, given, expected] of others) {
    assert.deepEqual(defaulted(type, given), expected, type);
  }
});

test('a custom resource definition', () => {
  const object: Json = {
    spec: {
      group: 'example.org',
      names: { kind: 'Crane', plural: 'cranes' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true }],
    },
  };
  applyDefaults(
    object,
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  );
  assert.deepEqual(object['spec'], {
    conversion: { strategy: 'None' },
    group: 'example.org',
    names: { kind: 'Crane', plural: 'cranes', listKind: 'CraneList', singular: 'crane' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true }],
  });
});

test('amounts are rounded up to thousandths', () => {
  const { spec } = defaulted('core.v1.ResourceQuota', { spec: { hard: { cpu: '100u' } } }) as {
    spec: Json;
  };
  assert.deepEqual(spec['hard'], { cpu: '1m' });
});

test('applying twice changes nothing more', () => {
  const once = defaulted('apps.v1.Deployment', { spec: { template: template() } });
  const text = JSON.stringify(once);
  assert.equal(JSON.stringify(defaulted('apps.v1.Deployment', once)), text);
});

const images: ReadonlyArray<readonly [image: string, policy: string]> = [
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['registry:5000/nginx', 'Always'],
  ['registry:5000/nginx:1', 'IfNotPresent'],
  [`nginx@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  [`nginx:latest@sha256:${'0'.repeat(64)}`, 'Always'],
  ['', 'IfNotPresent'],
];

test('pull policies by image', () => {
  for (const [image, policy] of images) assert.equal(defaultPullPolicy(image), policy, image);
});

test('single and plural addresses mirror each other, the single one counts', () => {
  const addresses: ReadonlyArray<readonly [given: Json, expected: Json]> = [
    [{ podIP: '10.0.0.1' }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }],
    [{ podIPs: [{ ip: '10.0.0.2' }] }, { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] }],
    [
      { podIP: '10.0.0.3', podIPs: [{ ip: '10.0.0.2' }] },
      { podIP: '10.0.0.3', podIPs: [{ ip: '10.0.0.3' }] },
    ],
  ];
  for (const [status, expected] of addresses) {
    const pod = defaulted('core.v1.Pod', { spec: { containers: [] }, status });
    assert.deepEqual(pod['status'], expected);
  }
  const node = defaulted('core.v1.Node', { spec: { podCIDR: '10.42.0.0/24' } });
  assert.deepEqual(node['spec'], { podCIDR: '10.42.0.0/24', podCIDRs: ['10.42.0.0/24'] });
});
