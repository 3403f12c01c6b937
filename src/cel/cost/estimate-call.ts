/** Estimated costs of single calls and the sizes of their results. */
import type { Expr } from '../source/ast.ts';
import { type Call, type CallEstimate, regexCost } from './call-estimate.ts';
import type { Estimator } from './estimator.ts';
import { estimateKubernetesCall } from './estimate-kubernetes.ts';
import { estimateExtensionCall } from './estimate-extensions.ts';
import {
  addRanges,
  type CostRange,
  fixed,
  largestCost,
  multiplyRanges,
  scaleRange,
  unionRanges,
} from './range.ts';

const traversalFactor = 0.1;
const order = /^(less|greater)(_equals)?_(string|bytes)$/;

function equality(of: Estimator, a: Expr, b: Expr): CostRange {
  const left = of.sizeOrUnknown(a).max;
  const right = of.sizeOrUnknown(b).max;
  const max = left < right ? left : right;
  return scaleRange({ min: max > 0n ? 1n : 0n, max }, traversalFactor);
}

function concatenation(of: Estimator, { node, id, args }: Call): CallEstimate | undefined {
  const [left, right] = args;
  if (left === undefined || right === undefined) return undefined;
  const size = addRanges(of.sizeOrUnknown(left), of.sizeOrUnknown(right));
  of.setEntry(node, of.unionOfEntries(left, right));
  return { cost: id === 'add_list' ? fixed(1) : scaleRange(size, traversalFactor), size };
}

/** Operators whose cost is made of their arguments' in another way than by the sum. */
function logical(of: Estimator, { node, id, args, costs }: Call): CallEstimate | undefined {
  const [first, second, third] = costs;
  if (id === 'logical_and' || id === 'logical_or') {
    if (first === undefined || second === undefined) return undefined;
    return { cost: { min: first.min, max: addRanges(first, second).max } };
  }
  const [, then, otherwise] = args;
  if (id !== 'conditional' || then === undefined || otherwise === undefined) return undefined;
  if (first === undefined || second === undefined || third === undefined) return undefined;
  of.setEntry(node, of.unionOfEntries(then, otherwise));
  return {
    cost: addRanges(first, unionRanges(second, third)),
    size: unionRanges(of.sizeOrUnknown(then), of.sizeOrUnknown(otherwise)),
  };
}

function times(range: CostRange, factor: bigint): CostRange {
  const max = range.max * factor;
  return { min: range.min, max: max > largestCost ? BigInt.asUintN(64, max) : max };
}

function standard(of: Estimator, call: Call): CallEstimate | undefined {
  const { id, target, args } = call;
  const [first, second] = args;
  if (id === 'add_list' || id === 'add_string' || id === 'add_bytes') {
    return concatenation(of, call);
  }
  if (first === undefined) return undefined;
  const size = of.sizeOrUnknown(first);
  const walk = scaleRange(size, traversalFactor);
  if (id === 'equals' || id === 'not_equals' || order.test(id)) {
    return second === undefined ? undefined : { cost: equality(of, first, second) };
  }
  switch (id) {
    case 'string_format':
      return target && { cost: scaleRange(of.sizeOrUnknown(target), traversalFactor) };
    case 'string_to_bytes':
      return { cost: walk, size: times(size, 4n) };
    case 'bytes_to_string':
      return { cost: walk, size: { min: size.min / 4n, max: size.max } };
    case 'strings_quote': {
      const max = times(size, 2n).max;
      return { cost: walk, size: addRanges({ min: size.min, max }, fixed(2)) };
    }
    case 'starts_with_string':
    case 'ends_with_string':
      return { cost: walk };
    case 'in_list':
      return second && { cost: scaleRange(of.sizeOrUnknown(second), 1) };
    case 'matches_string':
      return target && { cost: regexCost(of.sizeOrUnknown(target), size) };
    case 'contains_string':
      return (
        target && {
          cost: multiplyRanges(scaleRange(of.sizeOrUnknown(target), traversalFactor), walk),
        }
      );
    default:
      return undefined;
  }
}

export function estimateCall(of: Estimator, call: Call): CallEstimate {
  const special = logical(of, call);
  if (special !== undefined) return special;
  const estimate =
    estimateExtensionCall(of, call) ?? estimateKubernetesCall(of, call) ?? standard(of, call);
  const cost = addRanges(estimate?.cost ?? fixed(1), ...call.costs);
  return estimate?.size === undefined ? { cost } : { cost, size: estimate.size };
}
