import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '#schema/mod.ts';
import { autoscalerConversion } from './autoscaler-conversion.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';
const reference = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' };

const v2: UnknownObject = {
  kind: 'HorizontalPodAutoscaler',
  apiVersion: 'autoscaling/v2',
  metadata: { name: 'h', namespace: 'default' },
  spec: {
    scaleTargetRef: reference,
    maxReplicas: 3,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: 50 },
          container: 'c',
        },
      },
      {
        type: 'Pods',
        pods: {
          metric: { name: 'qps', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'AverageValue', averageValue: '10' },
        },
      },
      {
        type: 'Object',
        object: {
          describedObject: reference,
          metric: { name: 'rps' },
          target: { type: 'Value', value: '5' },
        },
      },
      {
        type: 'External',
        external: {
          metric: { name: 'queue' },
          target: { type: 'AverageValue', averageValue: '30' },
        },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 5,
        policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }],
      },
    },
  },
  status: { desiredReplicas: 2 },
};

test('what v1 cannot say is carried in annotations, in the form of v1', async () => {
  const served = autoscalerConversion.toServed(v2);
  const { annotations } = served.metadata;
  assert.deepEqual(JSON.parse(annotations?.[`${prefix}metrics`] ?? ''), [
    { type: 'Resource', resource: { name: 'memory', targetAverageValue: '1Gi' } },
    {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', targetAverageUtilization: 50, container: 'c' },
    },
    {
      type: 'Pods',
      pods: {
        metricName: 'qps',
        selector: { matchLabels: { a: 'b' } },
        targetAverageValue: '10',
      },
    },
    { type: 'Object', object: { target: reference, metricName: 'rps', targetValue: '5' } },
    { type: 'External', external: { metricName: 'queue', targetAverageValue: '30' } },
  ]);
  assert.deepEqual(JSON.parse(annotations?.[`${prefix}behavior`] ?? ''), {
    ScaleUp: {
      StabilizationWindowSeconds: 5,
      SelectPolicy: null,
      Policies: [{ Type: 'Pods', Value: 1, PeriodSeconds: 15 }],
      Tolerance: null,
    },
    ScaleDown: null,
  });
  assert.deepEqual(served['status'], { desiredReplicas: 2, currentReplicas: 0 });
  assert.deepEqual(served['spec'], {
    scaleTargetRef: reference,
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 70,
  });
});

test('what was read as v1 is stored as it was, the CPU last', async () => {
  const served = autoscalerConversion.toServed(v2);
  const stored = autoscalerConversion.toStored(served);
  const { metrics, ...spec } = v2['spec'] as { metrics: object[] };
  const [cpu, ...others] = metrics;
  assert.deepEqual(stored['spec'], { ...spec, metrics: [...others, cpu] });
  assert.deepEqual(stored.metadata, v2.metadata);
});

test('who wants nothing by v1 wants 80 % of the processor', () => {
  const served = { ...v2, apiVersion: 'autoscaling/v1', spec: { scaleTargetRef: reference } };
  const stored = autoscalerConversion.toStored(served);
  const target = { type: 'Utilization', averageUtilization: 80 };
  assert.deepEqual(stored['spec'], {
    scaleTargetRef: reference,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
  });
});

test('measured values go both ways', async () => {
  const currentMetrics = [
    {
      type: 'Resource',
      resource: { name: 'cpu', current: { averageUtilization: 12, averageValue: '120m' } },
    },
    {
      type: 'Resource',
      resource: { name: 'memory', current: { averageUtilization: 3, averageValue: '9Mi' } },
    },
    {
      type: 'Object',
      object: { describedObject: reference, metric: { name: 'r' }, current: { value: '4' } },
    },
  ];
  const status = { currentReplicas: 1, desiredReplicas: 1, currentMetrics };
  const served = autoscalerConversion.toServed({ ...v2, status });
  assert.deepEqual(JSON.parse(served.metadata.annotations?.[`${prefix}current-metrics`] ?? ''), [
    {
      type: 'Resource',
      resource: { name: 'cpu', currentAverageUtilization: 12, currentAverageValue: '120m' },
    },
    {
      type: 'Resource',
      resource: { name: 'memory', currentAverageUtilization: 3, currentAverageValue: '9Mi' },
    },
    { type: 'Object', object: { target: reference, metricName: 'r', currentValue: '4' } },
  ]);
  const back = autoscalerConversion.toStored(served);
  assert.deepEqual(back['status'], status);
});
