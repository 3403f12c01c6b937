/** Builds a balanced tree of `&&` or `||` so that long conditions stay shallow. */
import type { Expr } from '../source/ast.ts';
import { callNode } from '../source/node-factory.ts';

export function balance(name: string, terms: readonly Expr[], offsets: readonly number[]): Expr {
  function build(low: number, high: number): Expr {
    const middle = Math.floor((low + high + 1) / 2);
    const left = middle === low ? (terms[middle] as Expr) : build(low, middle - 1);
    const right = middle === high ? (terms[middle + 1] as Expr) : build(middle + 1, high);
    return callNode(offsets[middle] as number, name, [left, right]);
  }
  if (offsets.length === 0) return terms[0] as Expr;
  return build(0, offsets.length - 1);
}
