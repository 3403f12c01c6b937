import type { UnknownObject } from '#schema/mod.ts';
import { behaviorFromV1, behaviorToV1, metricFromV1, metricToV1 } from './autoscaler-metrics.ts';
import type { Conversion } from './conversion.ts';

/** What autoscaling/v1 cannot say is carried in these annotations. */
const annotationPrefix = 'autoscaling.alpha.kubernetes.io/';

interface Metric {
  type: string;
  resource?: {
    name: string;
    target?: { type: string; averageUtilization?: number };
    current?: { averageUtilization?: number };
  };
}

type Fields = Record<string, unknown>;

/** Each autoscaler wants something: 80 % of the processor when it says nothing, in v1 as in v2. */
const defaultCpuPercent = 80;

/**
 * autoscaling/v1 over objects that are stored as v2: a CPU target is a field, the rest annotations.
 * What was measured is all in an annotation, as the field has no place for absolute values.
 */
export const autoscalerConversion: Conversion = {
  toServed(stored) {
    const { metrics, behavior, ...spec } = (stored['spec'] ?? {}) as Fields;
    const { currentMetrics, conditions, ...status } = (stored['status'] ?? {}) as Fields;
    const target = splitCpu(metrics as Metric[] | undefined);
    const measured = currentMetrics as Metric[] | undefined;
    const targetPercent = target.cpu?.resource?.target?.averageUtilization;
    const currentPercent = splitCpu(measured).cpu?.resource?.current?.averageUtilization;
    const annotations = {
      ...stored.metadata.annotations,
      ...carried('metrics', flat(target.others, 'target')),
      ...carried('current-metrics', flat(measured, 'current')),
      ...carried('conditions', conditions),
      ...carried('behavior', behavior === undefined ? undefined : behaviorToV1(behavior)),
    };
    return {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v1',
      metadata: withAnnotations(stored, annotations),
      spec: { ...spec, ...optional('targetCPUUtilizationPercentage', targetPercent) },
      status: {
        ...status,
        currentReplicas: status['currentReplicas'] ?? 0,
        ...optional('currentCPUUtilizationPercentage', currentPercent),
      },
    };
  },
  toStored(served) {
    const { targetCPUUtilizationPercentage, ...spec } = (served['spec'] ?? {}) as Fields;
    const { currentCPUUtilizationPercentage, ...status } = (served['status'] ?? {}) as Fields;
    const annotations = { ...served.metadata.annotations };
    const others = deep(take(annotations, 'metrics'), 'target') ?? [];
    const metrics = [...others, ...cpuTarget(targetCPUUtilizationPercentage, others.length === 0)];
    const currentMetrics =
      deep(take(annotations, 'current-metrics'), 'current') ??
      measuredCpu(currentCPUUtilizationPercentage);
    const conditions = take(annotations, 'conditions');
    const behavior = behaviorFromV1(take(annotations, 'behavior'));
    return {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v2',
      metadata: withAnnotations(served, annotations),
      spec: { ...spec, metrics, ...optional('behavior', behavior) },
      status: {
        ...status,
        ...optional('currentMetrics', currentMetrics),
        ...optional('conditions', conditions),
      },
    };
  },
};

function splitCpu(metrics: readonly Metric[] | undefined): { cpu?: Metric; others?: Metric[] } {
  const cpu = metrics?.find((metric) => {
    const { resource } = metric;
    if (metric.type !== 'Resource' || resource?.name !== 'cpu') return false;
    return (resource.target ?? resource.current)?.averageUtilization !== undefined;
  });
  const others = metrics?.filter((metric) => metric !== cpu) ?? [];
  return { ...(cpu === undefined ? {} : { cpu }), ...(others.length === 0 ? {} : { others }) };
}

function cpuTarget(percent: unknown, isAlone: boolean): Fields[] {
  const averageUtilization = percent ?? (isAlone ? defaultCpuPercent : undefined);
  if (averageUtilization === undefined) return [];
  return [cpuMetric({ target: { type: 'Utilization', averageUtilization } })];
}

function measuredCpu(percent: unknown): Fields[] | undefined {
  return typeof percent === 'number'
    ? [cpuMetric({ current: { averageUtilization: percent } })]
    : undefined;
}

function cpuMetric(value: Fields): Fields {
  return { type: 'Resource', resource: { name: 'cpu', ...value } };
}

function flat(metrics: readonly Metric[] | undefined, word: 'target' | 'current'): unknown {
  return metrics?.map((metric) => metricToV1(metric, word));
}

function deep(metrics: unknown, word: 'target' | 'current'): Fields[] | undefined {
  return Array.isArray(metrics) ? metrics.map((metric) => metricFromV1(metric, word)) : undefined;
}

function carried(name: string, value: unknown): Record<string, string> {
  const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
  return isEmpty ? {} : { [annotationPrefix + name]: JSON.stringify(value) };
}

/** Reads and removes an annotation; text that is no JSON is dropped, as upstream drops it. */
function take(annotations: Record<string, string>, name: string): unknown {
  const text = annotations[annotationPrefix + name];
  delete annotations[annotationPrefix + name];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function withAnnotations(
  object: UnknownObject,
  annotations: Record<string, string>,
): UnknownObject['metadata'] {
  const { annotations: _old, ...metadata } = object.metadata;
  return Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations };
}

function optional(field: string, value: unknown): Fields {
  return value === undefined ? {} : { [field]: value };
}
