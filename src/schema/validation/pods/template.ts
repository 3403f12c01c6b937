import type { PodTemplate, PodTemplateSpec, Volume } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkAnnotations, checkLabels } from '../shared/object-meta.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkPodAnnotations } from './pod-annotations.ts';
import { checkPodSpec } from './pod-spec.ts';
import { checkProfileAnnotations } from './profile-annotations.ts';

export interface TemplateOptions {
  readonly old?: Unchecked<PodTemplateSpec> | undefined;
  readonly extraVolumes?: ReadonlyArray<Unchecked<Volume>> | undefined;
}

/** What pods are made from. Labels and annotations are reported without `metadata`. */
export function checkPodTemplate(
  errors: ErrorList,
  path: FieldPath,
  template: Unchecked<PodTemplateSpec>,
  options: TemplateOptions = {},
): void {
  const { metadata, spec = {} } = template;
  const { old, extraVolumes } = options;
  const annotations = metadata?.annotations;
  if (metadata?.labels !== undefined) checkLabels(errors, path, 'labels', metadata.labels);
  if (annotations !== undefined) {
    const at = path.child('annotations');
    checkAnnotations(errors, path, 'annotations', annotations);
    checkPodAnnotations(errors, at, annotations, spec, old?.metadata?.annotations);
  }
  const specPath = path.child('spec');
  const isMirror = false;
  const oldSpec = old?.spec;
  checkPodSpec(errors, specPath, spec, {
    isTemplate: true,
    podName: '',
    isMirror,
    extraVolumes,
    old: oldSpec,
  });
  if (annotations !== undefined) checkProfileAnnotations(errors, specPath, annotations, spec);
  if (!isEmpty(spec.ephemeralContainers)) {
    const detail = 'ephemeral containers not allowed in pod template';
    errors.forbidden(specPath, 'ephemeralContainers', detail);
  }
}

export const podTemplateRules: KindRules<PodTemplate> = {
  name: dns1123SubdomainErrors,
  check(errors, { template = {} }, old) {
    checkPodTemplate(errors, rootPath.child('template'), template, { old: old?.template });
  },
};
