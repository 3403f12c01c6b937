/** Names, global calls and parentheses. */
import type { Expr } from '../source/ast.ts';
import { callNode, identNode } from '../source/node-factory.ts';
import { parseArguments } from './arguments.ts';
import type { Parser } from './parser.ts';
import { expectedOperand, reservedWords } from './syntax-texts.ts';

export function parsePrimary(parser: Parser): Expr {
  if (parser.accept('(') !== undefined) {
    const inner = parser.parseExpression();
    if (parser.token.kind === 'end') {
      parser.issues.report(parser.token.offset, "Syntax error: missing ')' at '<EOF>'");
    }
    if (parser.token.kind !== ')' && parser.token.kind !== 'end') parser.fail("')'");
    parser.accept(')');
    return inner;
  }
  const { offset } = parser.token;
  const isRooted = parser.accept('.') !== undefined;
  const quoted = parser.accept('quoted-identifier');
  if (quoted !== undefined) parser.issues.report(quoted.offset, "unsupported syntax: '`'");
  const word = quoted?.text ?? parser.expect('identifier', expectedOperand).text;
  if (reservedWords.has(word)) parser.issues.report(offset, `reserved identifier: ${word}`);
  const name = isRooted ? `.${word}` : word;
  const open = parser.accept('(');
  if (open === undefined) return identNode(offset, name);
  const args = parseArguments(parser);
  const expanded = parser.macros.expandGlobal(parser, open.offset, name, args);
  return expanded ?? callNode(open.offset, name, args);
}
