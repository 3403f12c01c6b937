/**
 * Recursive descent over the tokens. The first syntax error ends the parse (cel-go tries to go on);
 * errors of meaning, such as reserved words, are collected.
 */
import { scan } from '../lexer/scan.ts';
import type { Token, TokenKind } from '../lexer/token.ts';
import type { Expr } from '../source/ast.ts';
import { Issues } from '../source/issues.ts';
import { callNode } from '../source/node-factory.ts';
import { balance } from './balance.ts';
import { createMacros, type Macros } from './macros.ts';
import { parseMember } from './member.ts';
import { SyntaxStop } from './syntax-stop.ts';

/** Longest source, in code points. */
const sizeLimit = 100_000;
/** Deepest nesting of expressions and longest chain of operators of one kind. */
export const recursionLimit = 250;
/** Highest tree: nesting and chains together. */
const depthLimit = 1_000;

export interface ParserOptions {
  /** `cel.bind`, which Kubernetes declares only where it evaluates device selectors. */
  readonly bindings?: boolean;
}

export class Parser {
  readonly issues: Issues;
  readonly macros: Macros;
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(issues: Issues, options: ParserOptions) {
    this.issues = issues;
    this.#tokens = scan(issues.source, issues);
    this.macros = createMacros(options);
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  accept(kind: TokenKind): Token | undefined {
    return this.token.kind === kind ? this.next() : undefined;
  }

  expect(kind: TokenKind, expected: string): Token {
    const token = this.accept(kind);
    return token ?? this.fail(expected);
  }

  /** Reports the current token as not fitting. */
  fail(expected: string): never {
    const { text, offset } = this.token;
    // A single token too many is named so; the grammar's way of recovering from it.
    const isExtra = expected === '<EOF>' && this.following.kind === 'end';
    const verb = isExtra ? 'extraneous input' : 'mismatched input';
    this.issues.report(offset, `Syntax error: ${verb} '${text}' expecting ${expected}`);
    throw new SyntaxStop();
  }

  /** Refuses trees that later passes could not walk. */
  bounded<T extends Expr>(node: T, chain = 0): T {
    if (chain <= recursionLimit && node.depth <= depthLimit) return node;
    return this.#tooDeep();
  }

  #tooDeep(): never {
    this.issues.report(0, `expression recursion limit exceeded: ${recursionLimit}`);
    throw new SyntaxStop();
  }

  parseExpression(): Expr {
    this.#nesting += 1;
    if (this.#nesting > recursionLimit) this.#tooDeep();
    const condition = this.#parseLogical('||', '_||_', () =>
      this.#parseLogical('&&', '_&&_', () => this.#parseRelation()),
    );
    const question = this.accept('?');
    let result = condition;
    if (question !== undefined) {
      const then = this.#parseLogical('||', '_||_', () =>
        this.#parseLogical('&&', '_&&_', () => this.#parseRelation()),
      );
      this.expect(':', "':'");
      const otherwise = this.parseExpression();
      result = callNode(question.offset, '_?_:_', [condition, then, otherwise]);
    }
    this.#nesting -= 1;
    return this.bounded(result);
  }

  #parseLogical(operator: '&&' | '||', name: string, parseTerm: () => Expr): Expr {
    const terms = [parseTerm()];
    const offsets: number[] = [];
    for (let token = this.accept(operator); token !== undefined; token = this.accept(operator)) {
      offsets.push(token.offset);
      terms.push(parseTerm());
    }
    return this.bounded(balance(name, terms, offsets));
  }

  #parseRelation(): Expr {
    return this.#parseChain(relations, () =>
      this.#parseChain(additions, () => this.#parseChain(products, () => parseMember(this))),
    );
  }

  #parseChain(operators: ReadonlyMap<TokenKind, string>, parseTerm: () => Expr): Expr {
    let left = parseTerm();
    for (let length = 1; ; length++) {
      const name = operators.get(this.token.kind);
      if (name === undefined) return left;
      const { offset } = this.next();
      left = this.bounded(callNode(offset, name, [left, parseTerm()]), length);
    }
  }
}

const relations: ReadonlyMap<TokenKind, string> = new Map<TokenKind, string>([
  ['<', '_<_'],
  ['<=', '_<=_'],
  ['>=', '_>=_'],
  ['>', '_>_'],
  ['==', '_==_'],
  ['!=', '_!=_'],
  ['in', '@in'],
]);
const additions: ReadonlyMap<TokenKind, string> = new Map<TokenKind, string>([
  ['+', '_+_'],
  ['-', '_-_'],
]);
const products: ReadonlyMap<TokenKind, string> = new Map<TokenKind, string>([
  ['*', '_*_'],
  ['/', '_/_'],
  ['%', '_%_'],
]);

/** Throws CelCompileError when the source is no expression. */
export function parse(source: string, options: ParserOptions = {}): Expr {
  const issues = new Issues(source);
  const size = source.length <= sizeLimit ? source.length : [...source].length;
  if (size > sizeLimit) {
    issues.report(0, `expression code point size exceeds limit: size: ${size}, limit ${sizeLimit}`);
    issues.throwIfAny();
  }
  const parser = new Parser(issues, options);
  let root: Expr | undefined;
  try {
    root = parser.parseExpression();
    if (parser.token.kind !== 'end') parser.fail('<EOF>');
  } catch (error) {
    if (!(error instanceof SyntaxStop)) throw error;
  }
  issues.throwIfAny();
  return root as Expr;
}
