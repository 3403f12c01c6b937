import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../types.ts';

export type NodeMatcher = (node: Node) => boolean;

const never: NodeMatcher = () => false;

/**
 * The nodes a pod may run on by nodeSelector and required node affinity, both of which must hold.
 * Undefined when it wants none in particular.
 */
export function compileNodeAffinity(pod: Pod): NodeMatcher | undefined {
  const labels = Object.entries(pod.spec?.nodeSelector ?? {});
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms.map(compileNodeSelectorTerm);
  if (labels.length === 0 && terms === undefined) return undefined;
  return (node) => {
    const nodeLabels = node.metadata.labels;
    if (labels.some(([key, value]) => nodeLabels?.[key] !== value)) return false;
    return terms === undefined || terms.some((matches) => matches(node));
  };
}

/** One term: all its expressions hold; an empty term matches nothing. */
export function compileNodeSelectorTerm(term: NodeSelectorTerm): NodeMatcher {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return never;
  return (node) =>
    expressions.every((expression) =>
      matchesRequirement(expression, node.metadata.labels?.[expression.key]),
    ) &&
    fields.every(
      (field) => field.key === 'metadata.name' && matchesRequirement(field, node.metadata.name),
    );
}

function matchesRequirement(
  requirement: NodeSelectorRequirement,
  value: string | undefined,
): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compareIntegers(value, values[0], (a, b) => a > b);
    case 'Lt':
      return compareIntegers(value, values[0], (a, b) => a < b);
    default:
      return false;
  }
}

function compareIntegers(
  a: string | undefined,
  b: string | undefined,
  holds: (a: bigint, b: bigint) => boolean,
): boolean {
  const integer = /^[+-]?\d+$/;
  if (a === undefined || b === undefined || !integer.test(a) || !integer.test(b)) return false;
  return holds(BigInt(a), BigInt(b));
}
