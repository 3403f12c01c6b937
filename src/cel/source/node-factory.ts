/** Constructors of nodes that keep track of the tree's height. */
import type {
  CallNode,
  ComprehensionNode,
  EntryNode,
  Expr,
  FieldNode,
  IdentNode,
  ListNode,
  Literal,
  LiteralNode,
  MapNode,
  SelectNode,
  StructNode,
} from './ast.ts';

function above(children: readonly (Expr | undefined)[]): number {
  let height = 0;
  for (const child of children) if (child !== undefined) height = Math.max(height, child.depth);
  return height + 1;
}

export function literalNode(offset: number, literal: Literal): LiteralNode {
  return { kind: 'literal', offset, depth: 1, literal };
}

export function identNode(offset: number, name: string): IdentNode {
  return { kind: 'ident', offset, depth: 1, name };
}

export function selectNode(
  offset: number,
  operand: Expr,
  field: string,
  testOnly = false,
): SelectNode {
  return { kind: 'select', offset, depth: above([operand]), operand, field, testOnly };
}

export function callNode(
  offset: number,
  name: string,
  args: readonly Expr[],
  target?: Expr,
): CallNode {
  return { kind: 'call', offset, depth: above([target, ...args]), name, target, args };
}

export function listNode(
  offset: number,
  elements: readonly Expr[],
  optionals: ReadonlySet<number> = new Set(),
): ListNode {
  return { kind: 'list', offset, depth: above(elements), elements, optionals };
}

export function mapNode(offset: number, entries: readonly EntryNode[]): MapNode {
  const depth = above(entries.flatMap((entry) => [entry.key, entry.value]));
  return { kind: 'map', offset, depth, entries };
}

export function structNode(offset: number, name: string, fields: readonly FieldNode[]): StructNode {
  return { kind: 'struct', offset, depth: above(fields.map((field) => field.value)), name, fields };
}

export function comprehensionNode(
  offset: number,
  parts: Omit<ComprehensionNode, 'kind' | 'offset' | 'depth' | 'type'>,
): ComprehensionNode {
  const { range, init, condition, step, result } = parts;
  return {
    kind: 'comprehension',
    offset,
    depth: above([range, init, condition, step, result]),
    ...parts,
  };
}
