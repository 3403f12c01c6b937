import { createCelEnvironment } from '#cel/mod.ts';
import type { CelEnvironment, CelProgram, CelType } from '#cel/mod.ts';
import { messageOf } from '#base/errors.ts';
import type { AuthorizationRequest } from '../authorizer.ts';
import { reviewSpecOf } from '../review-spec.ts';

/** Cost that the conditions of one request may have in all, as upstream's limit of a call. */
const conditionBudget = 10_000_000;

const text: CelType = { kind: 'string' };
const texts: CelType = { kind: 'list', element: text };

function object(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  const entries = Object.entries(fields).map(([key, type]) => [key, { type }] as const);
  return {
    kind: 'object',
    name: `kubernetes.${name}`,
    fields: new Map(entries),
    hasPlainNames: true,
  };
}

const selector = (name: string): CelType =>
  object(`${name}SelectorAttributes`, {
    rawSelector: text,
    requirements: {
      kind: 'list',
      element: object(`${name}SelectorRequirement`, { key: text, operator: text, values: texts }),
    },
  });

const requestType = object('SubjectAccessReviewSpec', {
  resourceAttributes: object('ResourceAttributes', {
    namespace: text,
    verb: text,
    group: text,
    version: text,
    resource: text,
    subresource: text,
    name: text,
    fieldSelector: selector('Field'),
    labelSelector: selector('Label'),
  }),
  nonResourceAttributes: object('NonResourceAttributes', { path: text, verb: text }),
  user: text,
  groups: texts,
  extra: { kind: 'map', key: text, value: texts },
  uid: text,
});

/** Compiles conditions over `request`, the spec of the SubjectAccessReview. */
export function createConditionEnvironment(): CelEnvironment {
  return createCelEnvironment({ variables: { request: requestType } });
}

const noAttributes = {
  namespace: '',
  verb: '',
  group: '',
  version: '',
  resource: '',
  subresource: '',
  name: '',
};

/**
 * Whether a webhook is to be asked: every condition holds. An error counts only when no condition
 * is false; then it is returned as text.
 */
export function matchConditions(
  programs: readonly CelProgram[],
  request: AuthorizationRequest,
): { isMatch: boolean; error?: string | undefined } {
  if (programs.length === 0) return { isMatch: true };
  const { user = '', groups = [], uid = '', extra = {}, ...spec } = reviewSpecOf(request);
  const shown = {
    ...spec,
    user,
    groups,
    uid,
    extra,
    ...(spec.resourceAttributes === undefined
      ? {}
      : { resourceAttributes: { ...noAttributes, ...spec.resourceAttributes } }),
  };
  const budget = { remaining: conditionBudget };
  const errors: string[] = [];
  for (const program of programs) {
    try {
      if (program.evaluate({ request: shown }, budget) !== true) return { isMatch: false };
    } catch (error) {
      errors.push(messageOf(error));
    }
  }
  if (errors.length === 0) return { isMatch: true };
  return { isMatch: false, error: errors.length === 1 ? errors[0] : `[${errors.join(', ')}]` };
}
