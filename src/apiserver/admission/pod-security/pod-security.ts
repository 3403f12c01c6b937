import { resources } from '#client/mod.ts';
import type { Namespace, Pod, PodTemplateSpec } from '#schema/types.ts';

import type { ObjectReader } from '../../authz/object-reader.ts';
import { isPod, isResource, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { sameJson } from '../same-json.ts';
import { checkedPod } from './pod-security-checks.ts';
import { describeViolations, policyOf, violationsOf } from './policy-level.ts';

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

/**
 * The Pod Security Standards by the labels of the namespace: pods are refused by `enforce`, pods
 * and templates of pods are warned about by `warn`. Default is privileged: nothing is looked at.
 */
export function createPodSecurity(options: { reader: ObjectReader }): AdmissionPlugin {
  const labelsOf = (attributes: AdmissionAttributes) =>
    options.reader.get<Namespace>(resources.namespaces, '', attributes.namespace)?.metadata.labels;
  return {
    name: 'PodSecurity',
    handles: (attributes) =>
      attributes.namespace !== '' &&
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      isChecked(attributes),
    validate(attributes) {
      const labels = labelsOf(attributes);
      if (labels === undefined || !mayMatter(attributes)) return;
      const checked = checkedOf(attributes);
      if (checked === undefined) return;
      const isTemplate = attributes.context.resource.resource !== 'pods';
      const enforce = policyOf(labels, 'enforce');
      if (!isTemplate) {
        const findings = violationsOf(enforce, checked);
        if (findings.length > 0) {
          throw refuse(
            attributes,
            `violates PodSecurity "${enforce.text}": ${describeViolations(findings)}`,
          );
        }
      }
      const warn = policyOf(labels, 'warn');
      const findings = violationsOf(warn, checked);
      if (findings.length > 0) {
        attributes.context.warnings.add(
          `would violate PodSecurity "${warn.text}": ${describeViolations(findings)}`,
        );
      }
    },
  };
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
  return checkedPod(of.metadata?.annotations, of.spec);
}
