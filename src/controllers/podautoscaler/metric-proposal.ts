import { K3tsError, messageOf } from '#base/errors.ts';
import { formatQuantity, quantityOfMilli } from '#base/quantity.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type {
  V2CrossVersionObjectReference,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from '#schema/types.ts';
import { milliOf } from './metrics-client.ts';
import type { MetricsClient } from './metrics-client.ts';
import {
  averageReplicas,
  sharedReplicas,
  utilizationReplicas,
  valueReplicas,
} from './replica-count.ts';
import type { CountInputs, Proposal } from './replica-count.ts';

export interface MetricInputs extends CountInputs {
  readonly client: MetricsClient;
  readonly namespace: string;
  /** Of the scale. */
  readonly selector: string;
  /** status.replicas of the scale. */
  readonly statusReplicas: number;
  /** `plural[.group]` of a kind, for metrics of objects. */
  resourceOf(reference: V2CrossVersionObjectReference): string;
}

/** What one metric asks for. */
export interface MetricProposal {
  readonly replicas: number;
  /** As events and conditions name the metric. */
  readonly name: string;
  readonly status: V2MetricStatus;
}

/** Why a metric says nothing: `reason` is that of the condition ScalingActive and of an event. */
export class MetricError extends K3tsError {
  readonly reason: string;
  /** The text of the event; the message has more around it. */
  readonly detail: string;

  constructor(reason: string, detail: string, message: string, cause?: unknown) {
    super('MetricFailed', message, { cause });
    this.reason = reason;
    this.detail = detail;
  }
}

/** Asks for a metric and computes the size it wants; throws MetricError with upstream's texts. */
export async function proposeSize(
  spec: V2MetricSpec,
  inputs: MetricInputs,
): Promise<MetricProposal> {
  const kind = Object.hasOwn(kinds, spec.type) ? kinds[spec.type] : undefined;
  if (kind === undefined) {
    const text = `unknown metric source type ${JSON.stringify(spec.type)}`;
    throw new MetricError('InvalidMetricSourceType', text, text);
  }
  try {
    return await kind.propose(spec, inputs);
  } catch (error) {
    const detail = messageOf(error);
    throw new MetricError(kind.reason, detail, `${kind.prefix(spec)}: ${detail}`, error);
  }
}

interface MetricKind {
  readonly reason: string;
  prefix(spec: V2MetricSpec): string;
  propose(spec: V2MetricSpec, inputs: MetricInputs): Promise<MetricProposal>;
}

const kinds: Readonly<Record<string, MetricKind>> = {
  Resource: {
    reason: 'FailedGetResourceMetric',
    prefix: ({ resource }) => `failed to get ${resource?.name} resource metric value`,
    async propose({ resource: source }, inputs) {
      const { name, target } = present(source);
      const { proposal, current } = await resourceProposal(name, undefined, target, inputs);
      const what = current.averageUtilization === undefined ? '' : percentText;
      return {
        replicas: proposal.replicas,
        name: `${name} resource${what}`,
        status: { type: 'Resource', resource: { name, current } },
      };
    },
  },
  ContainerResource: {
    reason: 'FailedGetContainerResourceMetric',
    prefix: ({ containerResource }) =>
      `failed to get ${containerResource?.container} container metric value`,
    async propose({ containerResource: source }, inputs) {
      const { name, container, target } = present(source);
      const { proposal, current } = await resourceProposal(name, container, target, inputs);
      const isShare = current.averageUtilization !== undefined;
      return {
        replicas: proposal.replicas,
        name: isShare ? `${name} container resource${percentText}` : `${name} resource`,
        status: {
          type: 'ContainerResource',
          containerResource: { name, container, current },
        },
      };
    },
  },
  Pods: {
    reason: 'FailedGetPodsMetric',
    prefix: () => 'failed to get pods metric value',
    async propose({ pods: source }, inputs) {
      const { metric, target } = present(source);
      const { name } = metric;
      const metrics = await wrapped(`unable to get metric ${name}`, () =>
        inputs.client.pods({
          ...inputs,
          metric: name,
          metricSelector: selectorText(metric),
        }),
      );
      const goal = { target: milliOf(target.averageValue ?? '0'), resource: '' };
      const { replicas, usage } = averageReplicas(metrics, goal, inputs);
      return {
        replicas,
        name: `pods metric ${name}`,
        status: { type: 'Pods', pods: { metric, current: { averageValue: milliText(usage) } } },
      };
    },
  },
  Object: {
    reason: 'FailedGetObjectMetric',
    prefix: () => 'failed to get object metric value',
    propose: ({ object: source }, inputs) => objectProposal(present(source), inputs),
  },
  External: {
    reason: 'FailedGetExternalMetric',
    prefix: ({ external }) => `failed to get ${external?.metric.name} external metric value`,
    propose: ({ external: source }, inputs) => externalProposal(present(source), inputs),
  },
};

const percentText = ' utilization (percentage of request)';

async function resourceProposal(
  name: string,
  container: string | undefined,
  target: V2MetricTarget,
  inputs: MetricInputs,
): Promise<{ proposal: Proposal; current: V2MetricValueStatus }> {
  const metrics = () =>
    wrapped(`unable to get metrics for resource ${name}`, () =>
      inputs.client.resource({ ...inputs, resource: name, container }),
    );
  if (target.averageValue !== undefined) {
    const goal = { target: milliOf(target.averageValue), resource: name };
    const proposal = await wrapped(`failed to get ${name} usage`, async () =>
      averageReplicas(await metrics(), goal, inputs),
    );
    return { proposal, current: { averageValue: milliText(proposal.usage) } };
  }
  const { averageUtilization } = target;
  if (averageUtilization === undefined) {
    throw new K3tsError(
      'InvalidMetricSource',
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  }
  const goal = { targetPercent: averageUtilization, resource: name, container };
  const proposal = await wrapped(`failed to get ${name} utilization`, async () =>
    utilizationReplicas(await metrics(), goal, inputs),
  );
  return {
    proposal,
    current: {
      averageUtilization: proposal.utilization ?? 0,
      averageValue: milliText(proposal.usage),
    },
  };
}

async function objectProposal(
  { describedObject, metric, target }: NonNullable<V2MetricSpec['object']>,
  inputs: MetricInputs,
): Promise<MetricProposal> {
  const { kind, name } = describedObject;
  const isValue = target.type === 'Value' && target.value !== undefined;
  const isShared = target.type === 'AverageValue' && target.averageValue !== undefined;
  if (!isValue && !isShared) {
    throw new K3tsError(
      'InvalidMetricSource',
      'invalid object metric source: neither a value target nor an average value target was set',
    );
  }
  let usage: number;
  try {
    usage = await inputs.client.object({
      metric: metric.name,
      namespace: inputs.namespace,
      resource: inputs.resourceOf(describedObject),
      name,
      metricSelector: selectorText(metric),
    });
  } catch (error) {
    const text = `unable to get metric ${metric.name}: ${kind} on ${inputs.namespace} ${name}/${messageOf(error)}`;
    const message = isValue ? text : `failed to get ${metric.name} object metric: ${text}`;
    throw new K3tsError('MetricFailed', message, { cause: error });
  }
  const status = (current: V2MetricValueStatus): V2MetricStatus => ({
    type: 'Object',
    object: { describedObject, metric, current },
  });
  if (isValue) {
    const { replicas } = valueReplicas(usage, milliOf(target.value ?? '0'), inputs);
    const current = { value: milliText(usage) };
    return { replicas, name: `${kind} metric ${metric.name}`, status: status(current) };
  }
  const goal = milliOf(target.averageValue ?? '0');
  const counts = { ...inputs, currentReplicas: inputs.statusReplicas };
  const { replicas, usage: share } = sharedReplicas(usage, goal, counts);
  const current = { averageValue: milliText(share) };
  return { replicas, name: externalName(metric), status: status(current) };
}

async function externalProposal(
  { metric, target }: NonNullable<V2MetricSpec['external']>,
  inputs: MetricInputs,
): Promise<MetricProposal> {
  const { name } = metric;
  const hasValue = target.value !== undefined;
  if (target.averageValue === undefined && !hasValue) {
    throw new K3tsError(
      'InvalidMetricSource',
      'invalid external metric source: neither a value target nor an average value target was set',
    );
  }
  const isShared = target.averageValue !== undefined;
  const outer = isShared
    ? `failed to get ${name} external metric`
    : `failed to get external metric ${name}`;
  const values = await wrapped(outer, () =>
    wrapped(`unable to get external metric ${inputs.namespace}/${name}/${goSelector(metric)}`, () =>
      inputs.client.external({
        metric: name,
        namespace: inputs.namespace,
        selector: selectorText(metric),
      }),
    ),
  );
  const usage = values.reduce((sum, value) => sum + value, 0);
  const status = (current: V2MetricValueStatus): V2MetricStatus => ({
    type: 'External',
    external: { metric, current },
  });
  if (isShared) {
    const goal = milliOf(target.averageValue ?? '0');
    const counts = { ...inputs, currentReplicas: inputs.statusReplicas };
    const { replicas, usage: share } = sharedReplicas(usage, goal, counts);
    const current = { averageValue: milliText(share) };
    return { replicas, name: externalName(metric), status: status(current) };
  }
  const { replicas } = await wrapped(outer, async () =>
    valueReplicas(usage, milliOf(target.value ?? '0'), inputs),
  );
  return { replicas, name: externalName(metric), status: status({ value: milliText(usage) }) };
}

function present<T>(source: T | undefined): T {
  if (source !== undefined) return source;
  throw new K3tsError('InvalidMetricSource', 'invalid metric source: its fields are missing');
}

/** Puts words before what a failure says. */
async function wrapped<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new K3tsError('MetricFailed', `${prefix}: ${messageOf(error)}`, { cause: error });
  }
}

/** Absent selects everything here, as the metrics APIs have it. */
function selectorText({ selector }: V2MetricIdentifier): string {
  return selector === undefined ? '' : labelSelectorFrom(selector).toString();
}

function externalName(metric: V2MetricIdentifier): string {
  return `external metric ${metric.name}(${goSelector(metric)})`;
}

/** A label selector as Go prints the structure. */
function goSelector({ selector }: V2MetricIdentifier): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.map((text) => `${text},`).join('')}},}`;
}

function milliText(value: number): string {
  return formatQuantity(quantityOfMilli(value));
}
