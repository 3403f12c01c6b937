import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const metric = 'spec.metrics.0';
const at = 'spec.metrics[0]';

test('HorizontalPodAutoscaler', () => {
  const scalers = validKind('autoscaling', 'horizontalpodautoscalers', 'v2');
  scalers.create([
    [
      { 'spec.minReplicas': 5 },
      'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
    ],
    [
      { 'spec.minReplicas': 0 },
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
    [
      { 'spec.scaleTargetRef.apiVersion': 'v1' },
      'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
    ],
    [
      { [`${metric}.type`]: 'Pods' },
      `${at}.pods: Required value: must populate information for the given metric source`,
      `${at}.resource: Forbidden: must populate the given metric source only`,
    ],
    [
      { [`${metric}.resource.target`]: { type: 'Value' } },
      `${at}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
    [
      { [`${metric}.resource.target.averageUtilization`]: 0 },
      `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
    ],
    [
      { 'spec.behavior.scaleDown': { policies: [{ type: 'All', value: 0, periodSeconds: 1801 }] } },
      'spec.behavior.scaleDown.policies[0].type: Unsupported value: "All": supported values: "Percent", "Pods"',
      'spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero',
      'spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
    ],
  ]);
  scalers.update(
    [
      [
        {},
        { 'status.currentReplicas': -1 },
        'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    'status',
  );
  validKind('autoscaling', 'horizontalpodautoscalers', 'v1').create([
    [
      { 'spec.maxReplicas': 0 },
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    ],
  ]);
});
