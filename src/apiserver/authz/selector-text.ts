import { escapeFieldValue } from '#schema/selectors/mod.ts';

/** A selector in a SubjectAccessReview: as text, or as requirements. */
interface SelectorAttributes {
  readonly rawSelector?: string | undefined;
  readonly requirements?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

/**
 * The selector as a query would write it. Requirements that select a single value become
 * `key=value`; others narrow nothing that an authorizer looks at and are left out, which only asks
 * for more.
 */
export function selectorText(selector: SelectorAttributes | undefined): string | undefined {
  if (selector === undefined) return undefined;
  if (selector.rawSelector !== undefined && selector.rawSelector !== '') {
    return selector.rawSelector;
  }
  const parts = (selector.requirements ?? [])
    .filter(({ operator, values }) => operator === 'In' && values?.length === 1)
    .map(({ key, values }) => `${key}=${escapeFieldValue(values?.[0] ?? '')}`);
  return parts.length === 0 ? undefined : parts.join(',');
}
