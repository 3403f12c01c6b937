import type { KubeObject } from '#schema/mod.ts';

/** Whether an object is chosen by both selectors (texts as in a query; absent chooses all). */
export function isSelected(
  object: KubeObject,
  options: { labelSelector?: string | undefined; fieldSelector?: string | undefined },
): boolean {
  return (
    termsOf(options.labelSelector).every((term) =>
      matchesLabel(term, object.metadata.labels ?? {}),
    ) && termsOf(options.fieldSelector).every((term) => matchesField(term, object))
  );
}

/** Splits at commas that are not inside parentheses. */
function termsOf(selector: string | undefined): string[] {
  if (selector === undefined || selector === '') return [];
  return selector.split(/,(?![^(]*\))/).map((term) => term.trim());
}

function matchesLabel(term: string, labels: Record<string, string>): boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, values = ''] = set;
    const isIn = values
      .split(',')
      .map((value) => value.trim())
      .includes(labels[key] ?? '');
    return operator === 'in'
      ? labels[key] !== undefined && isIn
      : labels[key] === undefined || !isIn;
  }
  const equality = /^([^=!]+?)\s*(!=|==|=)\s*(.*)$/.exec(term);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return operator === '!=' ? labels[key] !== value : labels[key] === value;
  }
  return term.startsWith('!') ? !(term.slice(1) in labels) : term in labels;
}

function matchesField(term: string, object: KubeObject): boolean {
  const [, path = '', operator, value = ''] = /^([^=!]+)(!=|==|=)(.*)$/.exec(term) ?? [];
  let found: unknown = object;
  for (const part of path.split('.')) {
    found = (found as Record<string, unknown> | undefined)?.[part];
  }
  const isEqual = String(found ?? '') === value;
  return operator === '!=' ? !isEqual : isEqual;
}
