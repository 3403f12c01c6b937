import type { Expr } from '../source/ast.ts';
import type { Parser } from './parser.ts';
import { expectedArgument } from './syntax-texts.ts';

/** The arguments of a call behind its opening parenthesis, up to and with the closing one. */
export function parseArguments(parser: Parser): Expr[] {
  const args: Expr[] = [];
  if (parser.accept(')') !== undefined) return args;
  if (parser.token.kind === 'end') parser.fail(expectedArgument);
  do args.push(parser.parseExpression());
  while (parser.accept(',') !== undefined);
  if (parser.accept(')') === undefined) parser.fail("{',', ')'}");
  return args;
}
