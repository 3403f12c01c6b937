import type { Job, JobSpec, ObjectMeta, PodTemplateSpec } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkImmutable, immutableText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { metadataPath, specPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabelSelector, selectorMatches } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkJobSpec } from './job-spec.ts';
import { checkJobStatus } from './job-status.ts';
import { checkTemplateLabels } from './workload-template.ts';

type Spec = Unchecked<JobSpec>;

export const jobRules: KindRules<Job> = {
  name: dns1123SubdomainErrors,
  check(errors, { metadata, spec = {} }, old) {
    if (old === undefined && spec.manualSelector !== true) {
      checkGeneratedSelector(errors, metadata ?? {}, spec);
    }
    checkJobSpec(errors, specPath, spec, old?.spec);
    if (spec.selector === undefined) errors.required(specPath, 'selector');
    else {
      checkLabelSelector(errors, specPath.child('selector'), spec.selector, old?.spec?.selector);
      checkTemplateLabels(errors, specPath, spec);
    }
  },
  create(errors, { metadata, spec = {} }) {
    const { completionMode, completions = 0 } = spec;
    if (completionMode !== 'Indexed' || completions <= 0) return;
    const pod = `${metadata?.name ?? ''}-${completions - 1}`;
    if (dns1123LabelErrors(pod).length === 0) return;
    const detail = `will not able to create pod with invalid DNS label: ${pod}`;
    errors.invalid(metadataPath, 'name', metadata?.name ?? '', detail);
  },
  update(errors, { spec = {} }, old) {
    checkCompletions(errors, spec, old.spec ?? {});
    checkImmutable(errors, specPath, 'selector', spec.selector, old.spec?.selector);
    checkTemplateChange(errors, spec, old);
    for (const field of fixedFields) {
      checkImmutable(errors, specPath, field, spec[field], old.spec?.[field]);
    }
  },
  subresources: { status: checkJobStatus },
};

const fixedFields = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

/** The selector that the server made, and the labels that go with it. */
function checkGeneratedSelector(
  errors: ErrorList,
  { uid = '', name = '' }: Unchecked<ObjectMeta>,
  spec: Spec,
): void {
  if (uid === '') errors.required(metadataPath, 'uid');
  const labels = spec.template?.metadata?.labels ?? {};
  const wanted: Readonly<Record<string, string>> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  const path = specPath.child('template.metadata.labels');
  for (const [key, value] of Object.entries(wanted)) {
    const detail = `must be '${value}'`;
    if (labels[key] === undefined) errors.required(path.key(key), '', detail);
    else if (labels[key] !== value) errors.invalid(path.key(key), '', labels, detail);
  }
  if (spec.selector === undefined || selectorMatches(spec.selector, wanted) !== false) return;
  errors.invalid(specPath, 'selector', spec.selector, '`selector` not auto-generated');
}

function checkCompletions(errors: ErrorList, spec: Spec, old: Spec): void {
  const { completions, parallelism } = spec;
  if (spec.completionMode !== 'Indexed') {
    checkImmutable(errors, specPath, 'completions', completions, old.completions);
  } else if (completions !== old.completions && completions !== parallelism) {
    const detail = 'can only be modified in tandem with spec.parallelism';
    errors.invalid(specPath, 'completions', completions, detail);
  }
}

/** A job that is suspended may still be moved, and its containers resized. */
function checkTemplateChange(errors: ErrorList, spec: Spec, old: Unchecked<Job>): void {
  const now = spec.template ?? {};
  const before = old.spec?.template ?? {};
  if (jsonEqual(now, before)) return;
  const isSuspended = old.spec?.suspend === true && old.status?.startTime === undefined;
  const allowed = isSuspended ? withMovedFields(now, before) : before;
  if (jsonEqual(now, allowed)) return;
  if (isSuspended && jsonEqual(now.metadata, allowed.metadata)) {
    errors.invalid(specPath, 'template.spec', now.spec, immutableText);
  } else errors.invalid(specPath, 'template', now, immutableText);
}

function withMovedFields(
  now: Unchecked<PodTemplateSpec>,
  before: Unchecked<PodTemplateSpec>,
): Unchecked<PodTemplateSpec> {
  const spec = now.spec ?? {};
  const resized = <T extends { readonly resources?: unknown }>(
    list: readonly T[] | undefined,
    wanted: readonly T[] | undefined,
  ): readonly T[] | undefined =>
    list?.map((container, index) => ({ ...container, resources: wanted?.[index]?.resources }));
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const nodeAffinity = spec.affinity?.nodeAffinity;
  const affinity =
    nodeAffinity?.[required] === undefined && before.spec?.affinity === undefined
      ? spec.affinity
      : { ...before.spec?.affinity, nodeAffinity };
  return {
    ...before,
    metadata: {
      ...before.metadata,
      labels: now.metadata?.labels,
      annotations: now.metadata?.annotations,
    },
    spec: {
      ...before.spec,
      nodeSelector: spec.nodeSelector,
      affinity,
      tolerations: spec.tolerations,
      schedulingGates: spec.schedulingGates,
      containers: resized(before.spec?.containers, spec.containers),
      initContainers: resized(before.spec?.initContainers, spec.initContainers),
    },
  };
}
