import type { V2MetricSpec, V2MetricTarget } from '../../generated/types.ts';
import type { Format } from '../checks.ts';
import { checkFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123LabelErrors, pathSegmentErrors } from '../formats/names.ts';
import { isNotPositive } from '../shared/quantities.ts';
import { checkContainerResourceName } from '../shared/resource-names.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkScaleTarget } from './scale-target.ts';

type Metric = Unchecked<V2MetricSpec>;
type Target = Unchecked<V2MetricTarget>;

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const sourceFields = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
type SourceField = (typeof sourceFields)[number];
const fieldOfType: Readonly<Record<string, SourceField>> = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};

export function checkMetric(errors: ErrorList, path: FieldPath, metric: Metric): void {
  const { type = '' } = metric;
  if (requireText(errors, path, 'type', type, 'must specify a metric source type')) {
    if (!metricTypes.includes(type)) errors.notSupported(path, 'type', type, metricTypes);
  }
  if (metric.object !== undefined) checkObject(errors, path.child('object'), metric.object);
  if (metric.external !== undefined) {
    checkExternal(errors, path.child('external'), metric.external);
  }
  if (metric.pods !== undefined) {
    const at = path.child('pods');
    checkName(errors, at, 'metric.name', metric.pods.metric?.name, metricText, pathSegmentErrors);
    checkTarget(errors, at.child('target'), metric.pods.target);
    if (metric.pods.target?.averageValue === undefined) {
      const detail = 'must specify a positive target averageValue';
      errors.required(at, 'target.averageValue', detail);
    }
  }
  if (metric.resource !== undefined) {
    const at = path.child('resource');
    requireText(errors, at, 'name', metric.resource.name, resourceText);
    checkResourceTarget(errors, at.child('target'), metric.resource.target);
  }
  if (metric.containerResource !== undefined) {
    checkContainerResource(errors, path.child('containerResource'), metric.containerResource);
  }
  checkOneSource(errors, path, metric, type);
}

const metricText = 'must specify a metric name';
const resourceText = 'must specify a resource name';

function checkName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  name: string | undefined,
  detail: string,
  format: Format,
): void {
  if (requireText(errors, path, field, name, detail)) {
    checkFormat(errors, path, field, name, format);
  }
}

function checkObject(
  errors: ErrorList,
  path: FieldPath,
  { describedObject = {}, metric, target }: NonNullable<Metric['object']>,
): void {
  checkScaleTarget(errors, path.child('describedObject'), describedObject, false);
  checkName(errors, path, 'metric.name', metric?.name, metricText, pathSegmentErrors);
  checkTarget(errors, path.child('target'), target);
  if (target?.value !== undefined || target?.averageValue !== undefined) return;
  const detail = 'must set either a target value or averageValue';
  errors.required(path, 'target.averageValue', detail);
}

function checkExternal(
  errors: ErrorList,
  path: FieldPath,
  { metric, target }: NonNullable<Metric['external']>,
): void {
  checkName(errors, path, 'metric.name', metric?.name, metricText, pathSegmentErrors);
  checkTarget(errors, path.child('target'), target);
  const hasValue = target?.value !== undefined;
  const hasAverage = target?.averageValue !== undefined;
  if (!hasValue && !hasAverage) {
    const detail = 'must set either a target value for metric or a per-pod target';
    errors.required(path, 'target.averageValue', detail);
  }
  if (hasValue && hasAverage) {
    const detail = 'may not set both a target value for metric and a per-pod target';
    errors.forbidden(path, 'target.value', detail);
  }
}

function checkContainerResource(
  errors: ErrorList,
  path: FieldPath,
  { name, container, target }: NonNullable<Metric['containerResource']>,
): void {
  if (requireText(errors, path, 'name', name, resourceText)) {
    checkContainerResourceName(errors, path, 'name', name);
  }
  checkName(errors, path, 'container', container, 'must specify a container', dns1123LabelErrors);
  checkResourceTarget(errors, path.child('target'), target);
}

function checkResourceTarget(errors: ErrorList, path: FieldPath, target: Target | undefined): void {
  checkTarget(errors, path, target);
  const hasUtilization = target?.averageUtilization !== undefined;
  const hasValue = target?.averageValue !== undefined;
  if (!hasUtilization && !hasValue) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.required(path, 'averageUtilization', detail);
  }
  if (hasUtilization && hasValue) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.forbidden(path, 'averageValue', detail);
  }
}

const targetTypes = ['Utilization', 'Value', 'AverageValue'];

function checkTarget(errors: ErrorList, path: FieldPath, target: Target = {}): void {
  const { type = '', value, averageValue, averageUtilization } = target;
  if (type === '') errors.required(path, 'type', 'must specify a metric target type');
  else if (!targetTypes.includes(type)) {
    const detail = 'must be either Utilization, Value, or AverageValue';
    errors.invalid(path, 'type', type, detail);
  }
  if (value !== undefined && isNotPositive(value)) {
    errors.invalid(path, 'value', value, 'must be positive');
  }
  if (averageValue !== undefined && isNotPositive(averageValue)) {
    errors.invalid(path, 'averageValue', averageValue, 'must be positive');
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const detail = 'must be greater than 0';
    errors.invalid(path, 'averageUtilization', averageUtilization, detail);
  }
}

function checkOneSource(errors: ErrorList, path: FieldPath, metric: Metric, type: string): void {
  const wanted = fieldOfType[type];
  if (wanted === undefined) return;
  if (metric[wanted] === undefined) {
    errors.required(path, wanted, 'must populate information for the given metric source');
  }
  for (const field of sourceFields) {
    if (field === wanted || metric[field] === undefined) continue;
    errors.forbidden(path, field, 'must populate the given metric source only');
  }
}
