import { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';
import type { Requirement } from '#schema/selectors/mod.ts';
import type { SubjectAccessReviewSpec } from '#schema/types.ts';
import type { AuthorizationRequest, ResourceAttributes } from './authorizer.ts';

interface SelectorRequirement {
  key: string;
  operator: string;
  values?: string[];
}

const operatorNames: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** The question as a SubjectAccessReview asks it, for servers that decide by it. */
export function reviewSpecOf(request: AuthorizationRequest): SubjectAccessReviewSpec {
  const { user, resource: asked } = request;
  const { name, uid = '', groups, extra } = user;
  return {
    ...(asked === undefined
      ? { nonResourceAttributes: { path: request.path, verb: request.verb } }
      : { resourceAttributes: resourceAttributesOf(asked) }),
    ...(name === '' ? {} : { user: name }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(extra === undefined ? {} : { extra: extra as Record<string, string[]> }),
    ...(uid === '' ? {} : { uid }),
  };
}

function resourceAttributesOf(
  asked: ResourceAttributes,
): NonNullable<SubjectAccessReviewSpec['resourceAttributes']> {
  const { namespace, verb, group, version, resource, subresource, name } = asked;
  const texts = { namespace, verb, group, version, resource, subresource, name };
  const given = Object.entries(texts).filter(([, value]) => value !== '');
  const field = requirementsOf(asked.fieldSelector, parseFieldSelector);
  const label = requirementsOf(asked.labelSelector, parseLabelSelector);
  return {
    ...Object.fromEntries(given),
    ...(field === undefined ? {} : { fieldSelector: { requirements: field } }),
    ...(label === undefined ? {} : { labelSelector: { requirements: label } }),
  };
}

/** The requirements of a selector; one that cannot be read narrows nothing. */
function requirementsOf(
  text: string | undefined,
  parse: (text: string) => { readonly requirements: readonly Requirement[] },
): SelectorRequirement[] | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const found = parse(text).requirements.flatMap(({ key, operator, values }) => {
      const name = operatorNames[operator];
      if (name === undefined) return [];
      return values.length === 0
        ? [{ key, operator: name }]
        : [{ key, operator: name, values: [...values] }];
    });
    return found.length === 0 ? undefined : found;
  } catch {
    // The request itself is refused later; until then it asks for everything.
    return undefined;
  }
}
