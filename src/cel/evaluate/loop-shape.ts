/** Recognises what macros expand to, so that loops need not follow the expansion step by step. */
import type { CallNode, ComprehensionNode, Expr } from '../source/ast.ts';

export type LoopShape =
  | { readonly kind: 'bind' }
  | { readonly kind: 'quantifier'; readonly deciding: boolean; readonly predicate: Expr }
  | { readonly kind: 'list'; readonly filter: Expr | undefined; readonly element: Expr }
  | {
      readonly kind: 'map';
      readonly filter: Expr | undefined;
      readonly key: Expr | undefined;
      readonly value: Expr;
    }
  | { readonly kind: 'other' };

function isBool(node: Expr, value: boolean): boolean {
  return node.kind === 'literal' && node.literal.kind === 'bool' && node.literal.value === value;
}

function isCall(node: Expr | undefined, name: string): node is CallNode {
  return node?.kind === 'call' && node.name === name && node.target === undefined;
}

function isName(node: Expr | undefined, name: string): boolean {
  return node?.kind === 'ident' && node.name === name;
}

function quantifier(node: ComprehensionNode): LoopShape | undefined {
  const deciding = isBool(node.init, false);
  if (!deciding && !isBool(node.init, true)) return undefined;
  const { step } = node;
  if (!isCall(step, deciding ? '_||_' : '_&&_')) return undefined;
  if (!isCall(node.condition, '@not_strictly_false')) return undefined;
  if (!isName(step.args[0], node.accumulator)) return undefined;
  return { kind: 'quantifier', deciding, predicate: step.args[1] as Expr };
}

/** Splits `filter ? step : accumulator`. */
function splitFilter(node: ComprehensionNode): { filter: Expr | undefined; step: Expr } {
  const { step } = node;
  if (isCall(step, '_?_:_') && isName(step.args[2], node.accumulator)) {
    return { filter: step.args[0], step: step.args[1] as Expr };
  }
  return { filter: undefined, step };
}

function builder(node: ComprehensionNode): LoopShape | undefined {
  if (!isBool(node.condition, true)) return undefined;
  const { filter, step } = splitFilter(node);
  const { init, accumulator } = node;
  if (init.kind === 'list' && isCall(step, '_+_') && isName(step.args[0], accumulator)) {
    const added = step.args[1];
    const [element] = added?.kind === 'list' ? added.elements : [];
    return element === undefined ? undefined : { kind: 'list', filter, element };
  }
  if (init.kind === 'map' && isCall(step, 'cel.@mapInsert') && isName(step.args[0], accumulator)) {
    const [, second, third] = step.args as [Expr, Expr, Expr?];
    if (third === undefined) return { kind: 'map', filter, key: undefined, value: second };
    return { kind: 'map', filter, key: second, value: third };
  }
  return undefined;
}

export function loopShape(node: ComprehensionNode): LoopShape {
  const isEmpty = node.range.kind === 'list' && node.range.elements.length === 0;
  if (isEmpty && isBool(node.condition, false)) return { kind: 'bind' };
  if (!isName(node.result, node.accumulator)) return { kind: 'other' };
  return quantifier(node) ?? builder(node) ?? { kind: 'other' };
}
