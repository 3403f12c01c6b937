/** `&&`, `||` and `?:`: a side that decides absorbs the error of the other. */
import type { CallNode, Expr } from '../source/ast.ts';
import { noSuchOverload } from '../values/operators.ts';
import type { CelValue } from '../values/value.ts';
import type { Compiler } from './compiler.ts';
import { type Evaluate, type Frame, rethrowFatal } from './frame.ts';

/** What the right side makes of a left side that failed: its own decision or the left's error. */
function absorb(frame: Frame, error: unknown, right: Evaluate, deciding: boolean): boolean {
  rethrowFatal(error);
  let value: CelValue;
  try {
    value = right(frame);
  } catch (other) {
    rethrowFatal(other);
    throw error;
  }
  if (value === deciding) return deciding;
  throw error;
}

function compileLogical(compiler: Compiler, node: CallNode, deciding: boolean): Evaluate {
  const [leftNode, rightNode] = node.args as [Expr, Expr];
  const left = compiler.compile(leftNode);
  const right = compiler.compile(rightNode);
  return (frame) => {
    let value: CelValue;
    try {
      value = left(frame);
    } catch (error) {
      return absorb(frame, error, right, deciding);
    }
    if (value === deciding) return deciding;
    if (typeof value !== 'boolean') return absorb(frame, noSuchOverload(), right, deciding);
    const other = right(frame);
    if (typeof other !== 'boolean') throw noSuchOverload();
    return other;
  };
}

export function compileAnd(compiler: Compiler, node: CallNode): Evaluate {
  return compileLogical(compiler, node, false);
}

export function compileOr(compiler: Compiler, node: CallNode): Evaluate {
  return compileLogical(compiler, node, true);
}

export function compileConditional(compiler: Compiler, node: CallNode): Evaluate {
  const [conditionNode, thenNode, elseNode] = node.args as [Expr, Expr, Expr];
  const condition = compiler.compile(conditionNode);
  const then = compiler.compileFree(thenNode);
  const otherwise = compiler.compileFree(elseNode);
  return (frame) => {
    const value = condition(frame);
    if (value === true) return then(frame);
    if (value === false) return otherwise(frame);
    throw noSuchOverload();
  };
}

/** True for anything but false, errors included. */
export function compileNotFalse(compiler: Compiler, node: CallNode): Evaluate {
  const operand = compiler.compile(node.args[0] as Expr);
  return (frame) => {
    frame.cost += 1;
    try {
      return operand(frame) !== false;
    } catch (error) {
      rethrowFatal(error);
      return true;
    }
  };
}
