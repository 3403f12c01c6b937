import type { LabelSelector } from '#schema/types.ts';

/** A selector as Go prints it, for the text of an event. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`)
    .join('');
  const expressions = (selector?.matchExpressions ?? [])
    .map(({ key, operator, values = [] }) => `{${key} ${operator} [${values.join(' ')}]}`)
    .join(' ');
  const map = labels === '' ? 'map[string]string{}' : `map[string]string{${labels}}`;
  return `&LabelSelector{MatchLabels:${map},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
