import type {
  HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { age, none, someOf, unknown, unset } from './cell-text.ts';

/** Metrics beyond these are only counted. */
const shownMetrics = 2;

function valueTarget(target: V2MetricTarget, current: V2MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknown}/${target.value ?? unknown}`;
}

function resourceTarget(
  name: string,
  target: V2MetricTarget,
  current: V2MetricValueStatus | undefined,
): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  }
  const percent = (value: number | undefined, missing: string): string =>
    value === undefined ? missing : `${value}%`;
  const used = percent(current?.averageUtilization, unknown);
  return `${name}: ${used}/${percent(target.averageUtilization, '<auto>')}`;
}

function metricText(spec: V2MetricSpec, status: V2MetricStatus | undefined): string {
  if (spec.external !== undefined)
    return valueTarget(spec.external.target, status?.external?.current);
  if (spec.object !== undefined) return valueTarget(spec.object.target, status?.object?.current);
  if (spec.pods !== undefined) {
    const current = status?.pods?.current.averageValue ?? unknown;
    return `${current}/${spec.pods.target.averageValue ?? unknown}`;
  }
  if (spec.resource !== undefined) {
    const { name, target } = spec.resource;
    return resourceTarget(name, target, status?.resource?.current);
  }
  if (spec.containerResource !== undefined) {
    const { name, target } = spec.containerResource;
    return resourceTarget(name, target, status?.containerResource?.current);
  }
  return '<unknown type>';
}

/** Takes both served versions; v1 knows only the CPU target. */
export function autoscalerCells(
  autoscaler: V2HorizontalPodAutoscaler | HorizontalPodAutoscaler,
  nowMs: number,
): Cell[] {
  const { metadata, spec, status } = autoscaler;
  const reference = spec?.scaleTargetRef;
  return [
    metadata.name,
    `${reference?.kind ?? ''}/${reference?.name ?? ''}`,
    targets(autoscaler),
    String(spec?.minReplicas ?? unset),
    spec?.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    age(metadata.creationTimestamp, nowMs),
  ];
}

function targets({ spec, status }: V2HorizontalPodAutoscaler | HorizontalPodAutoscaler): string {
  if (spec !== undefined && 'targetCPUUtilizationPercentage' in spec) {
    const current = (status as HorizontalPodAutoscaler['status'])?.currentCPUUtilizationPercentage;
    const used = current === undefined ? unknown : `${current}%`;
    return `cpu: ${used}/${spec.targetCPUUtilizationPercentage}%`;
  }
  const metrics = spec !== undefined && 'metrics' in spec ? (spec.metrics ?? []) : [];
  if (metrics.length === 0) return none;
  const current = status !== undefined && 'currentMetrics' in status ? status.currentMetrics : [];
  const texts = metrics.map((metric, index) => metricText(metric, current?.[index]));
  return someOf(texts, shownMetrics, ', ');
}
