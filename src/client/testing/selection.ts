import type { KubeObject } from '#schema/mod.ts';
import { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';

/** Whether an object is chosen by both selectors (texts as in a query; absent chooses all). */
export function isSelected(
  object: KubeObject,
  options: { labelSelector?: string | undefined; fieldSelector?: string | undefined },
): boolean {
  const { labelSelector = '', fieldSelector = '' } = options;
  if (!parseLabelSelector(labelSelector).matches(object.metadata.labels ?? {})) return false;
  const byField = parseFieldSelector(fieldSelector);
  const fields = byField.requirements.map(({ key }) => [key, fieldValue(object, key)] as const);
  return byField.matches(Object.fromEntries(fields));
}

/** Any path can be selected by, other than on a real server. */
function fieldValue(object: KubeObject, path: string): string {
  let found: unknown = object;
  for (const part of path.split('.')) {
    found = (found as Record<string, unknown> | undefined)?.[part];
  }
  if (found === undefined || found === null) return '';
  return typeof found === 'string' ? found : JSON.stringify(found);
}
