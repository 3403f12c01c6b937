/** A call to be estimated and what comes out. */
import type { CallNode, Expr } from '../source/ast.ts';
import { addRanges, type CostRange, fixed, multiplyRanges, scaleRange } from './range.ts';

export interface Call {
  readonly node: CallNode;
  readonly name: string;
  readonly id: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
  /** Costs of the arguments, without the target's. */
  readonly costs: readonly CostRange[];
}

/** `cost` without the arguments' where the estimate comes from a library. */
export interface CallEstimate {
  readonly cost: CostRange;
  readonly size?: CostRange;
}

const traversalFactor = 0.1;
const regexFactor = 0.25;

/** Of matching a pattern against a text. */
export function regexCost(text: CostRange, pattern: CostRange): CostRange {
  const textCost = scaleRange(addRanges(text, fixed(1)), traversalFactor);
  return multiplyRanges(textCost, scaleRange(pattern, regexFactor));
}
