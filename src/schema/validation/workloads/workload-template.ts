import type { LabelSelector, PodTemplateSpec } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { TemplateOptions } from '../pods/template.ts';
import { checkPodTemplate } from '../pods/template.ts';
import { checkLabelSelector, isEmptySelector, selectorMatches } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';

interface Workload {
  readonly selector?: Unchecked<LabelSelector> | undefined;
  readonly template?: Unchecked<PodTemplateSpec> | undefined;
}

const always = ['Always'];

/** The selector of a workload, which has to be there and to select something. */
export function checkWorkloadSelector(
  errors: ErrorList,
  specPath: FieldPath,
  { selector }: Workload,
  kind: string,
  old: Workload | undefined,
): void {
  if (selector === undefined) {
    errors.required(specPath, 'selector');
    return;
  }
  checkLabelSelector(errors, specPath.child('selector'), selector, old?.selector);
  if (isEmptySelector(selector)) {
    errors.invalid(specPath, 'selector', selector, `empty selector is invalid for ${kind}`);
  }
}

/** A controller finds its pods by its selector, so the template has to match it. */
export function checkTemplateLabels(
  errors: ErrorList,
  specPath: FieldPath,
  { selector, template }: Workload,
): void {
  if (isEmptySelector(selector)) return;
  const labels = template?.metadata?.labels;
  if (selectorMatches(selector, labels) !== false) return;
  const detail = '`selector` does not match template `labels`';
  errors.invalid(specPath, 'template.metadata.labels', labels ?? null, detail);
}

/** Templates of pods that run until somebody ends them. */
export function checkLastingTemplate(
  errors: ErrorList,
  specPath: FieldPath,
  template: Unchecked<PodTemplateSpec>,
  kind: string,
  options: TemplateOptions,
): void {
  checkPodTemplate(errors, specPath.child('template'), template, options);
  checkLasting(errors, specPath, template, kind);
}

export function checkLasting(
  errors: ErrorList,
  specPath: FieldPath,
  { spec }: Unchecked<PodTemplateSpec>,
  kind: string,
): void {
  const path = specPath.child('template.spec');
  if (spec?.restartPolicy !== 'Always') {
    errors.notSupported(path, 'restartPolicy', spec?.restartPolicy ?? '', always);
  }
  if (spec?.activeDeadlineSeconds === undefined) return;
  const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
  errors.forbidden(path, 'activeDeadlineSeconds', detail);
}
