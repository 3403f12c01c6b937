import type { FieldError } from '#schema/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import { structureErrors } from '#schema/validation/mod.ts';
import type { Condition } from './conditions.ts';

type Spec = CustomResourceDefinition['spec'];
type Verdict = Omit<Condition, 'lastTransitionTime'>;

export const nonStructuralType = 'NonStructuralSchema';

/** Schemas are walked once for each state of a definition. */
const known = new WeakMap<Spec, Verdict | undefined>();

/**
 * What makes the schemas of a definition no structural ones; undefined when nothing does. Only
 * definitions that an older server stored can be like that: new ones are refused.
 */
export function structureVerdict({ spec }: CustomResourceDefinition): Verdict | undefined {
  if (known.has(spec)) return known.get(spec);
  const errors: FieldError[] = spec.preserveUnknownFields === true ? [{ ...unknownFields }] : [];
  for (const [index, version] of (spec.versions ?? []).entries()) {
    errors.push(...structureErrors(index, version.schema?.openAPIV3Schema));
  }
  const verdict = errors.length === 0 ? undefined : violations(errors);
  known.set(spec, verdict);
  return verdict;
}

const unknownFields: FieldError = {
  type: 'FieldValueInvalid',
  field: 'spec.preserveUnknownFields',
  message: 'Invalid value: true: must be false',
};

/** Several errors as Go's aggregates print them. */
function violations(errors: readonly FieldError[]): Verdict {
  const lines = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  const message = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  return { type: nonStructuralType, status: 'True', reason: 'Violations', message };
}
