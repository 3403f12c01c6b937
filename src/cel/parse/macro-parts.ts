/** Pieces that the expansions of comprehensions share. */
import type { Expr } from '../source/ast.ts';
import { callNode, comprehensionNode, identNode, literalNode } from '../source/node-factory.ts';
import type { MacroCall } from './macros.ts';

/** Holds the result of a loop; no source can spell it. */
export const accumulatorName = '@result';

export function accumulator(offset: number): Expr {
  return identNode(offset, accumulatorName);
}

export function boolNode(offset: number, value: boolean): Expr {
  return literalNode(offset, { kind: 'bool', value });
}

export function intNode(offset: number, value: bigint): Expr {
  return literalNode(offset, { kind: 'int', value });
}

/** The name of a loop variable, or undefined with an error reported. */
export function variableName({ parser }: MacroCall, node: Expr | undefined): string | undefined {
  if (node?.kind !== 'ident' || node.name.startsWith('.')) {
    parser.issues.report(node?.offset ?? 0, 'argument must be a simple name');
    return undefined;
  }
  return node.name;
}

export interface LoopParts {
  readonly variable: string;
  readonly variable2?: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result?: Expr;
}

export function loop({ parser, offset, target }: MacroCall, parts: LoopParts): Expr {
  return parser.bounded(
    comprehensionNode(offset, {
      range: target,
      variable: parts.variable,
      variable2: parts.variable2,
      accumulator: accumulatorName,
      init: parts.init,
      condition: parts.condition,
      step: parts.step,
      result: parts.result ?? accumulator(offset),
    }),
  );
}

/** `filter ? step : accumulator` when there is a filter. */
export function filtered(offset: number, filter: Expr | undefined, step: Expr): Expr {
  if (filter === undefined) return step;
  return callNode(offset, '_?_:_', [filter, step, accumulator(offset)]);
}

export function allParts(offset: number, predicate: Expr): Omit<LoopParts, 'variable'> {
  return {
    init: boolNode(offset, true),
    condition: callNode(offset, '@not_strictly_false', [accumulator(offset)]),
    step: callNode(offset, '_&&_', [accumulator(offset), predicate]),
  };
}

export function existsParts(offset: number, predicate: Expr): Omit<LoopParts, 'variable'> {
  const isFalse = callNode(offset, '!_', [accumulator(offset)]);
  return {
    init: boolNode(offset, false),
    condition: callNode(offset, '@not_strictly_false', [isFalse]),
    step: callNode(offset, '_||_', [accumulator(offset), predicate]),
  };
}

export function existsOneParts(offset: number, predicate: Expr): Omit<LoopParts, 'variable'> {
  const more = callNode(offset, '_+_', [accumulator(offset), intNode(offset, 1n)]);
  return {
    init: intNode(offset, 0n),
    condition: boolNode(offset, true),
    step: filtered(offset, predicate, more),
    result: callNode(offset, '_==_', [accumulator(offset), intNode(offset, 1n)]),
  };
}
