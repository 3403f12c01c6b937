import { messageOf } from '#base/errors.ts';
import type { JobSpec, SuccessPolicy } from '../../generated/types.ts';
import { checkMaxBytes, checkMaxItems, checkNotNegative, checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkDomainPrefixedPath } from '../formats/domain-names.ts';
import { checkPodTemplate } from '../pods/template.ts';
import type { Unchecked } from '../unchecked.ts';
import { parseIndexes } from './indexes.ts';
import { checkFailurePolicy } from './pod-failure-policy.ts';

type Spec = Unchecked<JobSpec>;

const notNegativeFields = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;
const completionModes = ['NonIndexed', 'Indexed'];
const restartPolicies = ['OnFailure', 'Never'];
const manyCompletions = 100000;
const manyParallel = 10000;
const maxRules = 20;

/** The spec of a job, or of the jobs of a cron job, but for the selector. */
export function checkJobSpec(
  errors: ErrorList,
  path: FieldPath,
  spec: Spec,
  old: Spec | undefined,
): void {
  for (const field of notNegativeFields) checkNotNegative(errors, path, field, spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.required(path, 'backoffLimitPerIndex', 'when maxFailedIndexes is specified');
  }
  if (spec.managedBy !== undefined) {
    checkDomainPrefixedPath(errors, path, 'managedBy', spec.managedBy);
    checkMaxBytes(errors, path, 'managedBy', spec.managedBy, 63);
  }
  checkOneOf(errors, path, 'completionMode', spec.completionMode, completionModes);
  if (spec.completionMode === 'Indexed') checkIndexed(errors, path, spec);
  if (spec.completionMode !== 'Indexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      const value = spec[field];
      if (value !== undefined) {
        errors.invalid(path, field, value, 'requires indexed completion mode');
      }
    }
  }
  if (spec.podFailurePolicy !== undefined) {
    checkFailurePolicy(errors, path.child('podFailurePolicy'), spec.podFailurePolicy, spec);
  }
  if (spec.successPolicy !== undefined) {
    checkSuccessPolicy(errors, path.child('successPolicy'), spec.successPolicy, spec);
  }
  const hasFailurePolicy = spec.podFailurePolicy !== undefined;
  const replacements = hasFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  checkOneOf(errors, path, 'podReplacementPolicy', spec.podReplacementPolicy, replacements);
  const templateOptions = { old: old?.template };
  checkPodTemplate(errors, path.child('template'), spec.template ?? {}, templateOptions);
  checkRestartPolicy(errors, path, spec);
}

function checkRestartPolicy(errors: ErrorList, specPath: FieldPath, spec: Spec): void {
  const path = specPath.child('template.spec');
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') {
    errors.required(path, 'restartPolicy', 'valid values: "OnFailure", "Never"');
  } else if (!restartPolicies.includes(policy)) {
    errors.notSupported(path, 'restartPolicy', policy, restartPolicies);
  } else if (spec.podFailurePolicy !== undefined && policy !== 'Never') {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.invalid(path, 'restartPolicy', policy, detail);
  }
}

function checkIndexed(errors: ErrorList, path: FieldPath, spec: Spec): void {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (completions === undefined) {
    errors.required(path, 'completions', 'when completion mode is Indexed');
  }
  if (parallelism !== undefined && parallelism > manyCompletions) {
    const detail = `must be less than or equal to ${manyCompletions} when completion mode is Indexed`;
    errors.invalid(path, 'parallelism', parallelism, detail);
  }
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) {
      const detail = 'must be less than or equal to completions';
      errors.invalid(path, 'maxFailedIndexes', maxFailedIndexes, detail);
    }
    if (maxFailedIndexes > manyCompletions) {
      const detail = `must be less than or equal to ${manyCompletions}`;
      errors.invalid(path, 'maxFailedIndexes', maxFailedIndexes, detail);
    }
  }
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    const detail = `must be specified when completions is above ${manyCompletions}`;
    errors.required(path, 'maxFailedIndexes', detail);
  }
  for (const [field, value] of Object.entries({ parallelism, maxFailedIndexes })) {
    if (value === undefined || value <= manyParallel) continue;
    const detail = `must be less than or equal to ${manyParallel} when completions are above ${manyCompletions} and used with backoff limit per index`;
    errors.invalid(path, field, value, detail);
  }
}

function checkSuccessPolicy(
  errors: ErrorList,
  path: FieldPath,
  policy: Unchecked<SuccessPolicy>,
  spec: Spec,
): void {
  if (spec.completionMode !== 'Indexed') {
    errors.invalid(path, '', policy, 'requires indexed completion mode');
    return;
  }
  const { rules = [] } = policy;
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified';
    errors.required(path, 'rules', detail);
  }
  checkMaxItems(errors, path, 'rules', rules, maxRules);
  const completions = spec.completions ?? 0;
  rules.forEach(({ succeededCount, succeededIndexes }, index) => {
    const at = path.child('rules').at(index);
    if (succeededCount === undefined && succeededIndexes === undefined) {
      const detail = 'at least one of succeededCount or succeededIndexes must be specified';
      errors.required(at, '', detail);
    }
    let indexed: number | undefined;
    if (succeededIndexes !== undefined) {
      checkMaxBytes(errors, at, 'succeededIndexes', succeededIndexes, 65536);
      indexed = countOfIndexes(errors, at, succeededIndexes, completions);
    }
    if (succeededCount === undefined) return;
    checkNotNegative(errors, at, 'succeededCount', succeededCount);
    const limit = 'must be less than or equal to';
    if (succeededCount > completions) {
      const detail = `${limit} ${completions} (the number of specified completions)`;
      errors.invalid(at, 'succeededCount', succeededCount, detail);
    }
    if (indexed !== undefined && succeededCount > indexed) {
      const detail = `${limit} ${indexed} (the number of indexes in the specified succeededIndexes field)`;
      errors.invalid(at, 'succeededCount', succeededCount, detail);
    }
  });
}

function countOfIndexes(
  errors: ErrorList,
  path: FieldPath,
  text: string,
  completions: number,
): number | undefined {
  try {
    return parseIndexes(text, completions).count;
  } catch (error) {
    const detail = `error parsing succeededIndexes: ${messageOf(error)}`;
    errors.invalid(path, 'succeededIndexes', text, detail);
    return undefined;
  }
}
