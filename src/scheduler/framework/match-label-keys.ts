import { createLabelSelector } from '#schema/selectors/mod.ts';
import type { LabelSelector, Requirement } from '#schema/selectors/mod.ts';
import type { Pod } from '#schema/types.ts';

/**
 * The selector, narrowed to pods that have (`matchLabelKeys`) or have not (`mismatchLabelKeys`) the
 * pod's own values of these labels. Keys that the pod has no label for count for nothing. The API
 * server merges them into stored selectors; doing it again changes nothing.
 */
export function withMatchLabelKeys(
  selector: LabelSelector,
  pod: Pod,
  keys: {
    readonly matchLabelKeys?: readonly string[] | undefined;
    readonly mismatchLabelKeys?: readonly string[] | undefined;
  },
): LabelSelector {
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = keys;
  if (matchLabelKeys.length === 0 && mismatchLabelKeys.length === 0) return selector;
  const more = [
    ...requirements(pod, matchLabelKeys, 'in'),
    ...requirements(pod, mismatchLabelKeys, 'notin'),
  ];
  const narrowed = createLabelSelector([...selector.requirements, ...more]);
  return { ...narrowed, matches: (labels) => selector.matches(labels) && narrowed.matches(labels) };
}

function requirements(pod: Pod, keys: readonly string[], operator: 'in' | 'notin'): Requirement[] {
  return keys.flatMap((key) => {
    const value = pod.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}
