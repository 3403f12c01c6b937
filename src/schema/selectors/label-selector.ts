import { K3tsError } from '#base/errors.ts';
import type { LabelSelector as LabelSelectorObject } from '../generated/types.ts';
import { asBadRequest, createRequirement, parseRequirements } from './label-parser.ts';
import type { Operator, Requirement, Selector, StringMap } from './requirement.ts';
import { compareBytes, compileRequirements, formatRequirement, noValues } from './requirement.ts';

/** Compiled requirements on labels; immutable. */
export type LabelSelector = Selector;

const objectOperators: Readonly<Record<string, Operator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Compiles requirements that are known to be valid, in the order of their keys. */
export function createLabelSelector(requirements: readonly Requirement[]): LabelSelector {
  const test = compileRequirements(requirements);
  return {
    isEmpty: requirements.length === 0,
    requirements,
    matches: (labels: StringMap | undefined) => test(labels ?? noValues),
    toString: () => requirements.map(formatRequirement).join(','),
  };
}

/** Matches every object. */
export const everything: LabelSelector = createLabelSelector([]);

/** Matches no object, as a LabelSelector field that is absent. */
export const nothing: LabelSelector = {
  isEmpty: false,
  requirements: [],
  matches: () => false,
  toString: () => '',
};

/** The labelSelector of a request. Throws ApiStatusError BadRequest with upstream's text. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return everything;
  return createLabelSelector(asBadRequest(() => parseRequirements(text)));
}

/**
 * A metav1.LabelSelector: absent selects nothing, empty selects everything. Throws ApiStatusError
 * BadRequest for what validation would refuse.
 */
export function labelSelectorFrom(object: LabelSelectorObject | undefined | null): LabelSelector {
  if (object === undefined || object === null) return nothing;
  const requirements = asBadRequest(() => [
    ...Object.entries(object.matchLabels ?? {}).map(([key, value]) =>
      createRequirement(key, '=', [value]),
    ),
    ...(object.matchExpressions ?? []).map(({ key, operator: name, values }) => {
      const operator = objectOperators[name];
      if (operator === undefined) {
        const text = `${JSON.stringify(name)} is not a valid label selector operator`;
        throw new K3tsError('InvalidSelector', text);
      }
      return createRequirement(key, operator, [...new Set(values ?? [])].toSorted(compareBytes));
    }),
  ]);
  if (requirements.length === 0) return everything;
  return createLabelSelector(requirements.toSorted((a, b) => compareBytes(a.key, b.key)));
}
