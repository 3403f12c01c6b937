import type { Expr } from '../source/ast.ts';

const attributeCalls = new Set(['_[_]', '_[?_]', '_?._', '_?_:_']);

/** Whether selecting from the node continues a path instead of starting one. */
export function isAttribute(node: Expr): boolean {
  if (node.kind === 'ident') return true;
  if (node.kind === 'select') return !node.testOnly;
  return node.kind === 'call' && attributeCalls.has(node.name);
}
