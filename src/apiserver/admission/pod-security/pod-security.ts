import { resources } from '#client/mod.ts';
import type { Namespace, Pod, PodTemplateSpec } from '#schema/types.ts';

import type { ObjectReader } from '../../authz/object-reader.ts';
import { isPod, isResource, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { sameJson } from '../same-json.ts';
import { checkedPod } from './pod-security-checks.ts';
import { describeViolations, policyOf, violationsOf } from './policy-level.ts';
import type { DefaultPolicies } from './policy-level.ts';

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
 * and templates of pods are warned about by `warn` and noted in the audit log by `audit`. Default
 * is privileged: nothing is looked at.
 */
export function createPodSecurity(options: {
  reader: ObjectReader;
  podSecurity?: PodSecurityConfig | undefined;
}): AdmissionPlugin {
  const { defaults, exemptions } = options.podSecurity ?? noConfig;
  const labelsOf = (attributes: AdmissionAttributes) =>
    options.reader.get<Namespace>(resources.namespaces, '', attributes.namespace)?.metadata.labels;
  return {
    name: 'PodSecurity',
    handles: (attributes) =>
      attributes.namespace !== '' &&
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      isChecked(attributes),
    validate(attributes) {
      const exemption = exemptionOf(attributes, exemptions);
      if (exemption !== undefined) {
        annotate(attributes, 'exempt', exemption);
        return;
      }
      const labels = labelsOf(attributes);
      if ((labels === undefined && options.podSecurity === undefined) || !mayMatter(attributes))
        return;
      const checked = checkedOf(attributes);
      if (checked === undefined) return;
      const { class: runtimeClass, pod } = checked;
      if (runtimeClass !== undefined && exemptions.runtimeClasses.includes(runtimeClass)) {
        annotate(attributes, 'exempt', 'runtimeClass');
        return;
      }
      const isTemplate = attributes.context.resource.resource !== 'pods';
      const enforce = policyOf(labels, 'enforce', defaults);
      if (!isTemplate) {
        annotate(attributes, 'enforce-policy', enforce.text);
        const findings = violationsOf(enforce, pod);
        if (findings.length > 0) {
          throw refuse(
            attributes,
            `violates PodSecurity "${enforce.text}": ${describeViolations(findings)}`,
          );
        }
      }
      const audit = policyOf(labels, 'audit', defaults);
      const noted = violationsOf(audit, pod);
      if (noted.length > 0) {
        const text = `would violate PodSecurity "${audit.text}": ${describeViolations(noted)}`;
        annotate(attributes, 'audit-violations', text);
      }
      const warn = policyOf(labels, 'warn', defaults);
      const findings = violationsOf(warn, pod);
      if (findings.length > 0) {
        attributes.context.warnings.add(
          `would violate PodSecurity "${warn.text}": ${describeViolations(findings)}`,
        );
      }
    },
  };
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

/** An update that leaves the looked-at parts alone passes, so that old pods can go away. */
function mayMatter(attributes: AdmissionAttributes): boolean {
  const { object, oldObject } = attributes;
  if (oldObject === undefined || object === undefined) return true;
  if (attributes.context.resource.resource !== 'pods') return true;
  return !sameJson(relevant(object), relevant(oldObject));
}

function relevant(pod: Pod): unknown {
  const {
    tolerations: _tolerations,
    activeDeadlineSeconds: _deadline,
    ...spec
  } = pod.spec ?? {
    containers: [],
  };
  const plain = (containers: readonly object[] | undefined): unknown =>
    containers?.map((container) => ({ ...container, image: undefined, resources: undefined }));
  return {
    ...spec,
    containers: plain(spec.containers),
    initContainers: plain(spec.initContainers),
    ephemeralContainers: plain(spec.ephemeralContainers),
  };
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
