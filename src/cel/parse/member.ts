/** Unary operators, selections, calls and indexes: everything that binds tighter than `*`. */
import type { Expr } from '../source/ast.ts';
import { callNode, literalNode, selectNode, structNode } from '../source/node-factory.ts';
import { parseAggregate, parseFields } from './aggregate.ts';
import { parseArguments } from './arguments.ts';
import { parseLiteral } from './literal.ts';
import type { Parser } from './parser.ts';
import { SyntaxStop } from './syntax-stop.ts';
import { parsePrimary } from './primary.ts';

function parseUnary(parser: Parser, sign: '!' | '-', name: string): Expr {
  const first = parser.next();
  let count = 1;
  while (parser.token.kind === sign) {
    parser.next();
    count += 1;
  }
  if (sign === '-' && parser.token.kind === 'end') {
    const problem = "Syntax error: no viable alternative at input '-'";
    parser.issues.report(parser.token.offset, problem);
  }
  const operand = parseMember(parser);
  return count % 2 === 0 ? operand : parser.bounded(callNode(first.offset, name, [operand]));
}

export function parseMember(parser: Parser): Expr {
  const { kind } = parser.token;
  if (kind === '!') return parseUnary(parser, '!', '!_');
  if (kind === '-') {
    const after = parser.following.kind;
    if (after !== 'int' && after !== 'double') return parseUnary(parser, '-', '-_');
  }
  let node = parseOperand(parser);
  for (let length = 1; ; length++) {
    const next = parseSuffix(parser, node);
    if (next === undefined) return node;
    node = parser.bounded(next, length);
  }
}

function parseOperand(parser: Parser): Expr {
  const literal = parseLiteral(parser);
  if (literal !== undefined) return literal;
  return parseAggregate(parser) ?? parsePrimary(parser);
}

function fieldName(parser: Parser): string {
  const quoted = parser.accept('quoted-identifier');
  if (quoted !== undefined) {
    parser.issues.report(quoted.offset, "unsupported syntax: '`'");
    return quoted.text.slice(1, -1);
  }
  if (parser.token.kind === 'end') parser.fail("{'?', IDENTIFIER, ESC_IDENTIFIER}");
  if (parser.token.kind !== 'identifier') {
    const { text, offset } = parser.token;
    parser.issues.report(offset, `Syntax error: no viable alternative at input '.${text}'`);
    throw new SyntaxStop();
  }
  return parser.next().text;
}

function parseSuffix(parser: Parser, operand: Expr): Expr | undefined {
  const dot = parser.accept('.');
  if (dot !== undefined) {
    if (parser.accept('?') !== undefined) {
      const offset = parser.token.offset;
      const name = literalNode(offset, { kind: 'string', value: fieldName(parser) });
      return callNode(dot.offset, '_?._', [operand, name]);
    }
    const field = fieldName(parser);
    const open = parser.accept('(');
    if (open === undefined) return selectNode(dot.offset, operand, field);
    const args = parseArguments(parser);
    const expanded = parser.macros.expandMember(parser, open.offset, operand, field, args);
    return expanded ?? callNode(open.offset, field, args, operand);
  }
  const bracket = parser.accept('[');
  if (bracket !== undefined) {
    const isOptional = parser.accept('?') !== undefined;
    const index = parser.parseExpression();
    parser.expect(']', "']'");
    return callNode(bracket.offset, isOptional ? '_[?_]' : '_[_]', [operand, index]);
  }
  if (parser.token.kind === '{') {
    const name = structName(operand);
    if (name === undefined) return undefined;
    const brace = parser.next();
    return structNode(brace.offset, name, parseFields(parser));
  }
  return undefined;
}

function structName(node: Expr): string | undefined {
  if (node.kind === 'ident') return node.name;
  if (node.kind !== 'select') return undefined;
  const prefix = structName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}
