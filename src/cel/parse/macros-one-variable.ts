/** all, exists, exists_one, map and filter over one variable. */
import type { Expr } from '../source/ast.ts';
import { callNode, listNode } from '../source/node-factory.ts';
import {
  accumulator,
  allParts,
  boolNode,
  existsOneParts,
  existsParts,
  filtered,
  loop,
  type LoopParts,
  variableName,
} from './macro-parts.ts';
import type { Macro } from './macros.ts';

function quantifier(
  parts: (offset: number, predicate: Expr) => Omit<LoopParts, 'variable'>,
): Macro {
  return (call) => {
    const variable = variableName(call, call.args[0]);
    if (variable === undefined) return undefined;
    return loop(call, { variable, ...parts(call.offset, call.args[1] as Expr) });
  };
}

export const all: Macro = quantifier(allParts);
export const exists: Macro = quantifier(existsParts);
export const existsOne: Macro = quantifier(existsOneParts);

export const map: Macro = (call) => {
  const { offset, args } = call;
  const variable = variableName(call, args[0]);
  if (variable === undefined) return undefined;
  const condition = args.length === 3 ? args[1] : undefined;
  const element = listNode(offset, [args[args.length - 1] as Expr]);
  const step = callNode(offset, '_+_', [accumulator(offset), element]);
  return loop(call, {
    variable,
    init: listNode(offset, []),
    condition: boolNode(offset, true),
    step: filtered(offset, condition, step),
  });
};

export const filter: Macro = (call) => {
  const { offset, args } = call;
  const variable = variableName(call, args[0]);
  if (variable === undefined) return undefined;
  const element = listNode(offset, [args[0] as Expr]);
  const step = callNode(offset, '_+_', [accumulator(offset), element]);
  return loop(call, {
    variable,
    init: listNode(offset, []),
    condition: boolNode(offset, true),
    step: filtered(offset, args[1], step),
  });
};
