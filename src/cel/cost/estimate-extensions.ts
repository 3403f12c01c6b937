/** Estimates that the sets and lists extensions bring along. */
import type { Expr } from '../source/ast.ts';
import type { Call, CallEstimate } from './call-estimate.ts';
import type { Estimator } from './estimator.ts';
import {
  addRanges,
  type CostRange,
  fixed,
  largestCost,
  multiplyRanges,
  scaleRange,
} from './range.ts';

/** A call that makes a list costs 1 and 10 on top. */
const allocation = fixed(11);

function allocating(factor: number, size: CostRange): CallEstimate {
  return { cost: addRanges(scaleRange(size, factor), allocation), size };
}

function literalInt(node: Expr | undefined, otherwise: bigint): bigint {
  if (node?.kind !== 'literal' || node.literal.kind !== 'int') return otherwise;
  return node.literal.value < 0n ? 0n : node.literal.value;
}

const setFactors: Readonly<Record<string, number>> = {
  list_sets_contains_list: 1,
  list_sets_intersects_list: 1,
  list_sets_equivalent_list: 2,
};

function squared(of: Estimator, node: Expr, factor: number): CallEstimate {
  const size = of.sizeOrUnknown(node);
  return allocating(factor, multiplyRanges(size, size));
}

export function estimateExtensionCall(
  of: Estimator,
  { id, target, args }: Call,
): CallEstimate | undefined {
  const [first, second] = args;
  const setFactor = setFactors[id];
  if (setFactor !== undefined && first !== undefined && second !== undefined) {
    const product = multiplyRanges(of.sizeOrUnknown(first), of.sizeOrUnknown(second));
    return { cost: addRanges(scaleRange(product, setFactor), fixed(1)) };
  }
  if (id === 'lists_range') return allocating(1, fixed(literalInt(first, largestCost)));
  if (target === undefined) return undefined;
  const textFactor = /^list_(string|bytes)_/.test(id) ? 2.1 : 2;
  if (/^list_\w+_sort$/.test(id)) return squared(of, target, textFactor);
  if (id.endsWith('_sortByAssociatedKeys') && first !== undefined) {
    return squared(of, first, textFactor);
  }
  switch (id) {
    case 'list_slice': {
      const size = of.sizeOrUnknown(target);
      const end = literalInt(second, size.max);
      const start = literalInt(first, 0n);
      return allocating(1, fixed(end > start ? end - start : 0n));
    }
    case 'list_flatten':
      return allocating(1, of.sizeOrUnknown(target));
    case 'list_flatten_int':
      return allocating(Number(literalInt(first, largestCost)), of.sizeOrUnknown(target));
    case 'list_reverse':
      return allocating(1, of.sizeOrUnknown(target));
    case 'list_distinct':
      return squared(of, target, 2);
    default:
      return undefined;
  }
}
