/** Defaults that depend on something: what is given, and what it becomes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import table from '../generated/defaults.json' with { type: 'json' };
import { applyDefaults } from './apply.ts';

type Json = Record<string, unknown>;
type Row = readonly [type: string, given: Json, path: string, value: unknown];

const always = 'Always';
const lazy = 'IfNotPresent';
const cpu80 = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};
const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
const labelled = { metadata: { labels: { app: 'a' } } };
const ip = { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'a' }] } } };

const rows: readonly Row[] = [
  ['core.v1.ResourceQuota', { spec: { hard: { cpu: '1n' } } }, 'spec.hard.cpu', '1m'],
  [
    'core.v1.PersistentVolume',
    { spec: { capacity: { storage: '1u' } } },
    'spec.capacity.storage',
    '1m',
  ],
  [
    'core.v1.ReplicationController',
    { metadata: {}, spec: { template: labelled } },
    'spec.selector',
    { app: 'a' },
  ],
  [
    'core.v1.ReplicationController',
    { metadata: {}, spec: { template: labelled } },
    'metadata.labels',
    { app: 'a' },
  ],
  [
    'core.v1.ReplicationController',
    { metadata: {}, spec: { template: {} } },
    'spec.selector',
    undefined,
  ],
  ['core.v1.Volume', { name: 'a' }, 'emptyDir', {}],
  ['core.v1.Volume', { name: 'a', secret: {} }, 'emptyDir', undefined],
  ['core.v1.ImageVolumeSource', { reference: 'a' }, 'pullPolicy', always],
  ['core.v1.ImageVolumeSource', { reference: 'a:1' }, 'pullPolicy', lazy],
  ['core.v1.Container', { image: 'a:latest' }, 'imagePullPolicy', always],
  ['core.v1.Container', { image: 'a:5000/b' }, 'imagePullPolicy', always],
  ['core.v1.Container', { image: `a@sha256:${'0'.repeat(64)}` }, 'imagePullPolicy', lazy],
  ['core.v1.EphemeralContainer', { image: 'a' }, 'imagePullPolicy', always],
  [
    'core.v1.Service',
    { spec: { sessionAffinityConfig: { clientIP: {} } } },
    'spec.sessionAffinityConfig',
    undefined,
  ],
  [
    'core.v1.Service',
    { spec: { sessionAffinity: 'ClientIP' } },
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
    10800,
  ],
  ['core.v1.Service', { spec: { ports: [{ port: 80 }] } }, 'spec.ports.0.targetPort', 80],
  [
    'core.v1.Service',
    { spec: { ports: [{ port: 80, targetPort: '' }] } },
    'spec.ports.0.targetPort',
    80,
  ],
  ['core.v1.Service', { spec: { type: 'NodePort' } }, 'spec.externalTrafficPolicy', 'Cluster'],
  ['core.v1.Service', { spec: { type: 'LoadBalancer' } }, 'spec.externalTrafficPolicy', 'Cluster'],
  [
    'core.v1.Service',
    { spec: { externalIPs: ['1.2.3.4'] } },
    'spec.externalTrafficPolicy',
    'Cluster',
  ],
  ['core.v1.Service', { spec: {} }, 'spec.externalTrafficPolicy', undefined],
  ['core.v1.Service', { spec: {} }, 'spec.internalTrafficPolicy', 'Cluster'],
  ['core.v1.Service', { spec: { type: 'ExternalName' } }, 'spec.internalTrafficPolicy', undefined],
  [
    'core.v1.Service',
    { spec: { type: 'LoadBalancer' } },
    'spec.allocateLoadBalancerNodePorts',
    true,
  ],
  ['core.v1.Service', { spec: {} }, 'spec.allocateLoadBalancerNodePorts', undefined],
  [
    'core.v1.Service',
    { spec: { type: 'LoadBalancer' }, ...ip },
    'status.loadBalancer.ingress.0.ipMode',
    'VIP',
  ],
  [
    'core.v1.Service',
    { spec: { type: 'LoadBalancer' }, ...ip },
    'status.loadBalancer.ingress.1.ipMode',
    undefined,
  ],
  [
    'core.v1.Pod',
    { spec: { containers: [{ resources: { limits: { cpu: '1' } } }] } },
    'spec.containers.0.resources.requests',
    { cpu: '1' },
  ],
  [
    'core.v1.Pod',
    { spec: { initContainers: [{ resources: { limits: { cpu: '1' }, requests: { cpu: '0' } } }] } },
    'spec.initContainers.0.resources.requests',
    { cpu: '0' },
  ],
  [
    'core.v1.PodTemplateSpec',
    { spec: { containers: [{ resources: { limits: { cpu: '1' } } }] } },
    'spec.containers.0.resources.requests',
    undefined,
  ],
  [
    'core.v1.Pod',
    {
      spec: { resources: {}, containers: [{ resources: { limits: { 'hugepages-2Mi': '2Mi' } } }] },
    },
    'spec.resources.limits',
    { 'hugepages-2Mi': '2Mi' },
  ],
  [
    'core.v1.Pod',
    {
      spec: {
        resources: { limits: { cpu: '2' } },
        containers: [{ resources: { requests: { cpu: '1' } } }],
      },
    },
    'spec.resources.requests',
    { cpu: '1' },
  ],
  [
    'core.v1.Pod',
    { spec: { resources: { limits: { memory: '2' } }, containers: [{}] } },
    'spec.resources.requests',
    { memory: '2' },
  ],
  ['core.v1.Pod', { spec: {} }, 'spec.enableServiceLinks', true],
  ['core.v1.PodTemplateSpec', { spec: {} }, 'spec.enableServiceLinks', undefined],
  [
    'core.v1.Pod',
    { spec: { hostNetwork: true, containers: [{ ports: [{ containerPort: 80 }] }] } },
    'spec.containers.0.ports.0.hostPort',
    80,
  ],
  [
    'core.v1.PodTemplateSpec',
    { spec: { hostNetwork: true, containers: [{ ports: [{ containerPort: 80 }] }] } },
    'spec.containers.0.ports.0.hostPort',
    undefined,
  ],
  ['core.v1.PodSpec', {}, 'securityContext', {}],
  ['core.v1.PodSpec', { serviceAccountName: 'a' }, 'serviceAccount', 'a'],
  ['core.v1.PodSpec', { serviceAccount: 'a' }, 'serviceAccountName', 'a'],
  ['core.v1.Probe', { timeoutSeconds: 0 }, 'timeoutSeconds', 1],
  ['core.v1.Probe', { periodSeconds: 0 }, 'periodSeconds', 10],
  ['core.v1.Probe', { successThreshold: 0 }, 'successThreshold', 1],
  ['core.v1.Probe', {}, 'failureThreshold', 3],
  [
    'core.v1.Namespace',
    { metadata: { name: 'a', labels: { 'kubernetes.io/metadata.name': 'b' } } },
    'metadata.labels',
    { 'kubernetes.io/metadata.name': 'a' },
  ],
  ['core.v1.NodeStatus', { capacity: { cpu: '1' } }, 'allocatable', { cpu: '1' }],
  [
    'core.v1.LimitRangeItem',
    { type: 'Container', max: { cpu: '2' }, min: { memory: '1' } },
    'default',
    { cpu: '2' },
  ],
  [
    'core.v1.LimitRangeItem',
    { type: 'Container', max: { cpu: '2' }, min: { memory: '1' } },
    'defaultRequest',
    { cpu: '2', memory: '1' },
  ],
  ['core.v1.LimitRangeItem', { type: 'Pod', max: { cpu: '2' } }, 'default', undefined],
  ['core.v1.ConfigMap', { data: {} }, 'data', undefined],
  [
    'apps.v1.Deployment',
    { spec: {} },
    'spec.strategy',
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  ],
  [
    'apps.v1.Deployment',
    { spec: { strategy: { type: 'Recreate' } } },
    'spec.strategy',
    { type: 'Recreate' },
  ],
  [
    'apps.v1.Deployment',
    { spec: { strategy: { rollingUpdate: { maxSurge: 0 } } } },
    'spec.strategy.rollingUpdate',
    { maxSurge: 0, maxUnavailable: '25%' },
  ],
  [
    'apps.v1.DaemonSet',
    { spec: {} },
    'spec.updateStrategy',
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  ],
  [
    'apps.v1.DaemonSet',
    { spec: { updateStrategy: { type: 'OnDelete' } } },
    'spec.updateStrategy',
    { type: 'OnDelete' },
  ],
  [
    'apps.v1.StatefulSet',
    { spec: {} },
    'spec.updateStrategy',
    { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
  ],
  [
    'apps.v1.StatefulSet',
    { spec: { updateStrategy: { type: 'RollingUpdate' } } },
    'spec.updateStrategy',
    { type: 'RollingUpdate' },
  ],
  [
    'apps.v1.StatefulSet',
    { spec: {} },
    'spec.persistentVolumeClaimRetentionPolicy',
    { whenDeleted: 'Retain', whenScaled: 'Retain' },
  ],
  [
    'apps.v1.StatefulSet',
    { spec: { volumeClaimTemplates: [{ spec: {} }] } },
    'spec.volumeClaimTemplates.0.kind',
    'PersistentVolumeClaim',
  ],
  [
    'apps.v1.StatefulSet',
    { spec: { volumeClaimTemplates: [{ spec: {} }] } },
    'spec.volumeClaimTemplates.0.spec.volumeMode',
    'Filesystem',
  ],
  [
    'apps.v1.StatefulSet',
    { spec: { volumeClaimTemplates: [{ spec: {} }] } },
    'spec.volumeClaimTemplates.0.status.phase',
    'Pending',
  ],
  ['autoscaling.v2.HorizontalPodAutoscaler', { spec: {} }, 'spec.metrics', [cpu80]],
  ['autoscaling.v2.HorizontalPodAutoscaler', { spec: {} }, 'spec.behavior', undefined],
  [
    'autoscaling.v2.HorizontalPodAutoscaler',
    { spec: { behavior: {} } },
    'spec.behavior.scaleDown',
    { selectPolicy: 'Max', policies: [percent] },
  ],
  [
    'autoscaling.v2.HorizontalPodAutoscaler',
    { spec: { behavior: { scaleUp: { selectPolicy: 'Min' } } } },
    'spec.behavior.scaleUp',
    {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Min',
      policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, percent],
    },
  ],
  ['batch.v1.Job', { spec: {} }, 'spec.completions', 1],
  ['batch.v1.Job', { spec: { parallelism: 2 } }, 'spec.completions', undefined],
  ['batch.v1.Job', { spec: {} }, 'spec.backoffLimit', 6],
  ['batch.v1.Job', { spec: { backoffLimitPerIndex: 0 } }, 'spec.backoffLimit', 2147483647],
  ['batch.v1.Job', { spec: {} }, 'spec.podReplacementPolicy', 'TerminatingOrFailed'],
  [
    'batch.v1.Job',
    { spec: { podFailurePolicy: { rules: [] } } },
    'spec.podReplacementPolicy',
    'Failed',
  ],
  ['batch.v1.Job', { metadata: {}, spec: { template: labelled } }, 'metadata.labels', { app: 'a' }],
  ['admissionregistration.v1.ValidatingWebhook', {}, 'objectSelector', {}],
  ['admissionregistration.v1.MutatingWebhook', {}, 'namespaceSelector', {}],
  ['admissionregistration.v1.MatchResources', {}, 'objectSelector', {}],
  ['flowcontrol.v1.FlowSchemaSpec', { matchingPrecedence: 0 }, 'matchingPrecedence', 1000],
  ['flowcontrol.v1.LimitedPriorityLevelConfiguration', {}, 'nominalConcurrencyShares', 30],
  [
    'flowcontrol.v1.LimitedPriorityLevelConfiguration',
    { nominalConcurrencyShares: 0 },
    'nominalConcurrencyShares',
    0,
  ],
  ['networking.v1.NetworkPolicy', { spec: {} }, 'spec.policyTypes', ['Ingress']],
  [
    'networking.v1.NetworkPolicy',
    { spec: { egress: [{}] } },
    'spec.policyTypes',
    ['Ingress', 'Egress'],
  ],
  ['networking.v1.IngressClass', { spec: { parameters: {} } }, 'spec.parameters.scope', 'Cluster'],
  ['networking.v1.IngressClass', { spec: {} }, 'spec.parameters', undefined],
  ['rbac.v1.Subject', { kind: 'User', apiGroup: '' }, 'apiGroup', 'rbac.authorization.k8s.io'],
  ['rbac.v1.Subject', { kind: 'ServiceAccount' }, 'apiGroup', undefined],
  ['resource.v1.ExactDeviceRequest', {}, 'count', 1],
  ['resource.v1.ExactDeviceRequest', { allocationMode: 'All' }, 'count', undefined],
  ['resource.v1.DeviceSubRequest', { count: 0 }, 'count', 1],
  ['storage.v1.CSIDriver', { spec: {} }, 'spec.volumeLifecycleModes', ['Persistent']],
];

for (const [type, given, path, value] of rows) {
  test(`${type} ${path}: ${JSON.stringify(given)}`, () => {
    const object = structuredClone(given);
    applyDefaults(object, `io.k8s.api.${type}`);
    const found = path
      .split('.')
      .reduce<unknown>((at, step) => (at as Json | undefined)?.[step], object);
    assert.deepEqual(found, value);
    const again = structuredClone(object);
    applyDefaults(again, `io.k8s.api.${type}`);
    assert.deepEqual(again, object, 'applied twice');
  });
}

test('names and versions of a definition', () => {
  const object = {
    metadata: {},
    spec: { names: { kind: 'Widget' }, versions: [{ name: 'v1', storage: true }] },
  };
  applyDefaults(
    object,
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  );
  assert.deepEqual(object.spec.names, {
    kind: 'Widget',
    singular: 'widget',
    listKind: 'WidgetList',
    plural: '',
  });
  assert.deepEqual((object.spec as Json)['conversion'], { strategy: 'None' });
  const status = (object as Json)['status'] as Json;
  assert.deepEqual(status['storedVersions'], ['v1']);
});

test('every constant of the table is filled in where nothing was given', () => {
  for (const [typeName, constants] of Object.entries(table.constants)) {
    for (const [path, value] of Object.entries(constants)) {
      const steps = path.split('.');
      const field = steps.pop() ?? '';
      const object: Json = {};
      let at = object;
      for (const step of steps) at = at[step] = {};
      applyDefaults(object, typeName);
      at = steps.reduce((inside, step) => inside[step] as Json, object);
      // Go leaves empty values out when it writes
      const isEmpty = value === '' || value === false || value === 0;
      const isLeftOut = isEmpty && at[field] === undefined;
      if (!isLeftOut && !isDependent(typeName, path)) {
        const found = at[field];
        const isStruct = JSON.stringify(value) === '{}' && typeof found === 'object';
        assert.deepEqual(isStruct ? {} : found, value, `${typeName} ${path}`);
      }
    }
  }
});

/** Constants that a hook replaces, because more decides about them. */
function isDependent(typeName: string, path: string): boolean {
  return typeName.endsWith('.batch.v1.Job') && path === 'spec.parallelism';
}
