import type { Node } from '#schema/types.ts';

/** Former names of labels, which say the same as the present ones. */
const formerLabels = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const;

/** The former labels that a node lacks or has wrong; undefined when it has them. */
export function missingLabels(node: Node): Record<string, string> | undefined {
  const { labels = {} } = node.metadata;
  const missing: Record<string, string> = {};
  for (const [present, former] of formerLabels) {
    const value = labels[present];
    if (value !== undefined && labels[former] !== value) missing[former] = value;
  }
  return Object.keys(missing).length === 0 ? undefined : missing;
}
