import type { DefaultHook } from './hooks.ts';
import type { Json } from './json.ts';
import { isEmpty, objectAt, objectsAt, setIfAbsent } from './json.ts';

/** Kinds whose labels come from their pod template when they have none. */
function labelsFromTemplate(value: Json): Json | undefined {
  const template = objectAt(objectAt(value, 'spec'), 'template');
  const labels = objectAt(objectAt(template, 'metadata'), 'labels');
  const metadata = objectAt(value, 'metadata');
  if (labels === undefined || isEmpty(labels)) return undefined;
  if (metadata !== undefined && isEmpty(metadata['labels'])) metadata['labels'] = { ...labels };
  return labels;
}

function replicationController(value: Json): void {
  const labels = labelsFromTemplate(value);
  const spec = objectAt(value, 'spec');
  if (labels !== undefined && spec !== undefined && isEmpty(spec['selector'])) {
    spec['selector'] = { ...labels };
  }
}

function rollingUpdate(of: Json | undefined, constants: Json): void {
  if (of === undefined || of['type'] !== 'RollingUpdate') return;
  const rolling = objectAt(of, 'rollingUpdate') ?? {};
  for (const key in constants) setIfAbsent(rolling, key, constants[key]);
  of['rollingUpdate'] = rolling;
}

function deployment(value: Json): void {
  const strategy = objectAt(objectAt(value, 'spec'), 'strategy');
  rollingUpdate(strategy, { maxUnavailable: '25%', maxSurge: '25%' });
}

const templateGeneration = 'deprecated.daemonset.template.generation';

function daemonSet(value: Json): void {
  // upstream keeps it as a field, which every form of the object shows as this annotation
  const metadata = objectAt(value, 'metadata');
  if (metadata !== undefined) {
    const annotations = objectAt(metadata, 'annotations') ?? {};
    metadata['annotations'] = { [templateGeneration]: '0', ...annotations };
  }
  const strategy = objectAt(objectAt(value, 'spec'), 'updateStrategy');
  rollingUpdate(strategy, { maxUnavailable: 1, maxSurge: 0 });
}

function statefulSet(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined) return;
  const strategy = objectAt(spec, 'updateStrategy') ?? {};
  spec['updateStrategy'] = strategy;
  if (isEmpty(strategy['type'])) {
    strategy['type'] = 'RollingUpdate';
    setIfAbsent(strategy, 'rollingUpdate', {});
  }
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (strategy['type'] === 'RollingUpdate' && rolling !== undefined) {
    setIfAbsent(rolling, 'partition', 0);
  }
  for (const claim of objectsAt(spec, 'volumeClaimTemplates')) {
    if (isEmpty(claim['apiVersion'])) claim['apiVersion'] = 'v1';
    if (isEmpty(claim['kind'])) claim['kind'] = 'PersistentVolumeClaim';
  }
}

function job(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined) return;
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) {
    spec['completions'] = 1;
  }
  setIfAbsent(spec, 'parallelism', 1);
  const perIndex = spec['backoffLimitPerIndex'] !== undefined;
  setIfAbsent(spec, 'backoffLimit', perIndex ? 2147483647 : 6);
  const hasFailurePolicy = spec['podFailurePolicy'] !== undefined;
  const replacement = hasFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  setIfAbsent(spec, 'podReplacementPolicy', replacement);
  labelsFromTemplate(value);
}

const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};

const scaleDown = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

function autoscaler(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined) return;
  if (isEmpty(spec['metrics'])) {
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  const behavior = objectAt(spec, 'behavior');
  if (behavior === undefined) return;
  behavior['scaleUp'] = { ...structuredClone(scaleUp), ...objectAt(behavior, 'scaleUp') };
  behavior['scaleDown'] = { ...structuredClone(scaleDown), ...objectAt(behavior, 'scaleDown') };
}

/** Go writes these counts even when they are zero, though the schema calls them optional. */
function disruptionStatus(value: Json): void {
  for (const count of ['currentHealthy', 'desiredHealthy', 'disruptionsAllowed', 'expectedPods']) {
    setIfAbsent(value, count, 0);
  }
}

export const workloadHooks: Readonly<Record<string, DefaultHook>> = {
  'core.v1.ReplicationController': { apply: replicationController },
  'apps.v1.Deployment': { apply: deployment },
  'apps.v1.DaemonSet': { apply: daemonSet },
  'apps.v1.StatefulSet': { apply: statefulSet, replaces: ['spec.updateStrategy.type'] },
  // written by Go even when zero, though the schema calls it optional
  'apps.v1.StatefulSetStatus': { apply: (value) => setIfAbsent(value, 'availableReplicas', 0) },
  'policy.v1.PodDisruptionBudgetStatus': { apply: disruptionStatus },
  'batch.v1.Job': { apply: job, replaces: ['spec.parallelism'] },
  'autoscaling.v2.HorizontalPodAutoscaler': { apply: autoscaler },
};
