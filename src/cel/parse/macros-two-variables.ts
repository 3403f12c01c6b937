/** Comprehensions over index and value of a list, or key and value of a map. */
import type { Expr } from '../source/ast.ts';
import { callNode, identNode, listNode, mapNode } from '../source/node-factory.ts';
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
import type { Macro, MacroCall } from './macros.ts';

function twoNames(call: MacroCall): [string, string] | undefined {
  const first = variableName(call, call.args[0]);
  const second = first === undefined ? undefined : variableName(call, call.args[1]);
  return first === undefined || second === undefined ? undefined : [first, second];
}

function quantifier(
  parts: (offset: number, predicate: Expr) => Omit<LoopParts, 'variable'>,
): Macro {
  return (call) => {
    const names = twoNames(call);
    if (names === undefined) return undefined;
    const [variable, variable2] = names;
    return loop(call, { variable, variable2, ...parts(call.offset, call.args[2] as Expr) });
  };
}

export const allTwo: Macro = quantifier(allParts);
export const existsTwo: Macro = quantifier(existsParts);
export const existsOneTwo: Macro = quantifier(existsOneParts);

function transformer(
  init: (offset: number) => Expr,
  step: (offset: number, variable: string, transform: Expr) => Expr,
): Macro {
  return (call) => {
    const { offset, args } = call;
    const names = twoNames(call);
    if (names === undefined) return undefined;
    const [variable, variable2] = names;
    const condition = args.length === 4 ? args[2] : undefined;
    const transform = args[args.length - 1] as Expr;
    return loop(call, {
      variable,
      variable2,
      init: init(offset),
      condition: boolNode(offset, true),
      step: filtered(offset, condition, step(offset, variable, transform)),
    });
  };
}

export const transformList: Macro = transformer(
  (offset) => listNode(offset, []),
  (offset, _variable, transform) =>
    callNode(offset, '_+_', [accumulator(offset), listNode(offset, [transform])]),
);

export const transformMap: Macro = transformer(
  (offset) => mapNode(offset, []),
  (offset, variable, transform) =>
    callNode(offset, 'cel.@mapInsert', [
      accumulator(offset),
      identNode(offset, variable),
      transform,
    ]),
);

export const transformMapEntry: Macro = transformer(
  (offset) => mapNode(offset, []),
  (offset, _variable, transform) =>
    callNode(offset, 'cel.@mapInsert', [accumulator(offset), transform]),
);
