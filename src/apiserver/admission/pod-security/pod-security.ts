import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import { resources } from '#client/mod.ts';
import type { FieldError } from '#schema/mod.ts';
import type { Namespace, Pod, PodTemplateSpec } from '#schema/types.ts';

import type { ObjectReader } from '../../authz/object-reader.ts';
import { isPod, isResource, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { checkNamespace } from './namespace-policy.ts';
import { checkedPod } from './pod-security-checks.ts';
import { describeViolations, isPrivileged, policiesOf, violationsOf } from './policy-level.ts';
import type { DefaultPolicies } from './policy-level.ts';
import { createSecurityMeter } from './security-metrics.ts';
import type { SecurityMeter } from './security-metrics.ts';

/** Kinds that make pods, by `group/resource`, with the way to their template. */
const templates: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'batch/jobs': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** PodSecurityConfiguration of --admission-control-config-file. */
export interface PodSecurityConfig {
  readonly defaults: DefaultPolicies;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

const noConfig: PodSecurityConfig = {
  defaults: {},
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
};

/**
 * The Pod Security Standards by the labels of the namespace: pods are refused by `enforce`, pods
 * and templates of pods are warned about by `warn` and noted in the audit log by `audit`. The
 * labels themselves are checked when a namespace is written.
 */
export function createPodSecurity(options: {
  reader: ObjectReader;
  clock: Clock;
  podSecurity?: PodSecurityConfig | undefined;
  metrics?: MetricRegistry | undefined;
}): AdmissionPlugin {
  const { reader, clock } = options;
  const config = options.podSecurity ?? noConfig;
  const meter = createSecurityMeter(options.metrics);
  return {
    name: 'PodSecurity',
    handles: (attributes) =>
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      (isResource(attributes, '', 'namespaces') ||
        (attributes.namespace !== '' && isChecked(attributes))),
    validate(attributes) {
      if (isResource(attributes, '', 'namespaces')) {
        checkNamespace(attributes, { reader, clock, config });
        return;
      }
      const exemption = exemptionOf(attributes, config.exemptions);
      if (exemption !== undefined) {
        annotate(attributes, 'exempt', exemption);
        meter.exempted(attributes);
        return;
      }
      const namespace = reader.get<Namespace>(resources.namespaces, '', attributes.namespace);
      const of = policiesOf(namespace?.metadata.labels, config.defaults);
      if (attributes.context.resource.resource === 'pods') checkPod(attributes, of, config, meter);
      else checkTemplate(attributes, of, config, meter);
    },
  };
}

type Policies = ReturnType<typeof policiesOf>;

function checkPod(
  attributes: AdmissionAttributes,
  of: Policies,
  config: PodSecurityConfig,
  meter: SecurityMeter,
): void {
  const { policies, problems } = of;
  if (problems.length === 0 && isPrivileged(policies)) {
    annotate(attributes, 'enforce-policy', policies.enforce.text);
    meter.evaluated(attributes, 'enforce', policies.enforce, true);
    return;
  }
  if (attributes.operation === 'UPDATE' && !isSignificantUpdate(attributes)) return;
  evaluate(attributes, of, config, meter);
}

function checkTemplate(
  attributes: AdmissionAttributes,
  of: Policies,
  config: PodSecurityConfig,
  meter: SecurityMeter,
): void {
  const { warn, audit } = of.policies;
  const isQuiet = warn.level === 'privileged' && audit.level === 'privileged';
  if (of.problems.length === 0 && isQuiet) return;
  evaluate(attributes, of, config, meter);
}

/** Templates are not enforced upon. */
function evaluate(
  attributes: AdmissionAttributes,
  { policies, problems }: Policies,
  { exemptions }: PodSecurityConfig,
  meter: SecurityMeter,
): void {
  const checked = checkedOf(attributes);
  if (checked === undefined) return;
  const { class: runtimeClass, pod } = checked;
  if (runtimeClass !== undefined && exemptions.runtimeClasses.includes(runtimeClass)) {
    annotate(attributes, 'exempt', 'runtimeClass');
    meter.exempted(attributes);
    return;
  }
  if (problems.length > 0) {
    annotate(attributes, 'error', `Failed to parse policy: ${describeProblems(problems)}`);
    meter.failed(attributes);
  }
  const { enforce, audit, warn } = policies;
  let refusal: string | undefined;
  if (attributes.context.resource.resource === 'pods') {
    annotate(attributes, 'enforce-policy', enforce.text);
    const findings = violationsOf(enforce, pod);
    meter.evaluated(attributes, 'enforce', enforce, findings.length === 0);
    if (findings.length > 0) {
      refusal = `violates PodSecurity "${enforce.text}": ${describeViolations(findings)}`;
    }
  }
  const noted = violationsOf(audit, pod);
  if (noted.length > 0) {
    const text = `would violate PodSecurity "${audit.text}": ${describeViolations(noted)}`;
    annotate(attributes, 'audit-violations', text);
    meter.evaluated(attributes, 'audit', audit, false);
  }
  if (refusal !== undefined) throw refuse(attributes, refusal);
  const findings = violationsOf(warn, pod);
  if (findings.length === 0) return;
  meter.evaluated(attributes, 'warn', warn, false);
  const text = `would violate PodSecurity "${warn.text}": ${describeViolations(findings)}`;
  attributes.context.warnings.add(text);
}

/** As Go prints a list of errors. */
function describeProblems(problems: readonly FieldError[]): string {
  const lines = problems.map(({ field, message }) => `${field}: ${message}`);
  return lines.length === 1 ? String(lines[0]) : `[${lines.join(', ')}]`;
}

function annotate({ context }: AdmissionAttributes, key: string, value: string): void {
  context.trail?.annotate(`pod-security.kubernetes.io/${key}`, value);
}

/** Why nothing is checked: `user` or `namespace`. */
function exemptionOf(
  { context, namespace }: AdmissionAttributes,
  { usernames, namespaces }: PodSecurityConfig['exemptions'],
): string | undefined {
  if (namespaces.includes(namespace)) return 'namespace';
  return usernames.includes(context.user.name) ? 'user' : undefined;
}

function templatePath(attributes: AdmissionAttributes): readonly string[] | undefined {
  const { group, resource } = attributes.context.resource;
  return templates[`${group}/${resource}`];
}

function isChecked(attributes: AdmissionAttributes): boolean {
  return (
    isPod(attributes, 'CREATE', 'UPDATE') ||
    isResource(attributes, '', 'pods', 'ephemeralcontainers') ||
    isResource(attributes, '', 'pods', 'resize') ||
    (attributes.subresource === '' && templatePath(attributes) !== undefined)
  );
}

/** Whether containers come, go or get another image; nothing else of a pod may change. */
function isSignificantUpdate(attributes: AdmissionAttributes): boolean {
  const next = (attributes.object as Pod | undefined)?.spec;
  const old = (attributes.oldObject as Pod | undefined)?.spec;
  const isChanged = (
    containers: readonly { image?: string | undefined }[] = [],
    before: readonly { image?: string | undefined }[] = [],
  ): boolean =>
    containers.length !== before.length ||
    containers.some(({ image }, index) => image !== before[index]?.image);
  if (isChanged(next?.containers, old?.containers)) return true;
  if (isChanged(next?.initContainers, old?.initContainers)) return true;
  return (next?.ephemeralContainers ?? []).some(({ name, image }) => {
    const same = old?.ephemeralContainers?.find((container) => container.name === name);
    return same === undefined || same.image !== image;
  });
}

function checkedOf(attributes: AdmissionAttributes) {
  let value: unknown = attributes.object;
  for (const step of templatePath(attributes) ?? []) {
    value = (value as Record<string, unknown> | undefined)?.[step];
  }
  const of = value as (Pod | PodTemplateSpec) | undefined;
  if (of?.spec === undefined) return undefined;
  return { class: of.spec.runtimeClassName, pod: checkedPod(of.metadata?.annotations, of.spec) };
}
