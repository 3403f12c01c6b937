/**
 * The expression tree. Nodes are made by the parser; the checker fills `type`, `overloads` and
 * `resolved`. `offset` is a UTF-16 index into the source, where an error about the node points.
 */
import type { Type } from '../check/type.ts';

/** A constant as written; ints and uints are bigint until the evaluator makes values of them. */
export type Literal =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'uint'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'null'; readonly value: null };

interface NodeBase {
  readonly offset: number;
  /** Height of the tree below, bounded by the parser. */
  readonly depth: number;
  type?: Type;
}

export interface LiteralNode extends NodeBase {
  readonly kind: 'literal';
  readonly literal: Literal;
}

export interface IdentNode extends NodeBase {
  readonly kind: 'ident';
  readonly name: string;
}

export interface SelectNode extends NodeBase {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** From has(): asks for presence only. */
  readonly testOnly: boolean;
  /** Dotted variable or type name that the whole selection stands for. */
  resolved?: string;
}

export interface CallNode extends NodeBase {
  readonly kind: 'call';
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
  /** Ids of the overloads that may apply. */
  overloads?: readonly string[];
  /** Name of the namespaced function that target and name stand for together. */
  resolved?: string;
}

export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  readonly optionals: ReadonlySet<number>;
}

export interface EntryNode {
  readonly offset: number;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly entries: readonly EntryNode[];
}

export interface FieldNode {
  readonly offset: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructNode extends NodeBase {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly FieldNode[];
}

export interface ComprehensionNode extends NodeBase {
  readonly kind: 'comprehension';
  readonly range: Expr;
  readonly variable: string;
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr =
  | LiteralNode
  | IdentNode
  | SelectNode
  | CallNode
  | ListNode
  | MapNode
  | StructNode
  | ComprehensionNode;

/** `a.b.c` as a dotted name, when it is nothing but names. */
export function qualifiedName(node: Expr): string | undefined {
  const parts: string[] = [];
  let current = node;
  while (current.kind === 'select' && !current.testOnly) {
    parts.push(current.field);
    current = current.operand;
  }
  if (current.kind !== 'ident') return undefined;
  parts.push(current.name);
  return parts.reverse().join('.');
}
