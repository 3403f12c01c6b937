/** Constants, with the minus sign that belongs to a number. */
import { unquoteBytes, unquoteString } from '../lexer/unquote.ts';
import type { Expr, Literal } from '../source/ast.ts';
import { literalNode } from '../source/node-factory.ts';
import type { Parser } from './parser.ts';

const largestInt = 2n ** 63n - 1n;
const smallestInt = -(2n ** 63n);
const largestUint = 2n ** 64n - 1n;

function parseInt64(text: string, isNegative: boolean): bigint | undefined {
  // Longer than any int64: not worth converting.
  if (text.length > 80) return undefined;
  const value = isNegative ? -BigInt(text) : BigInt(text);
  return value < smallestInt || value > largestInt ? undefined : value;
}

function parseUint64(text: string): bigint | undefined {
  if (text.length > 80) return undefined;
  const value = BigInt(text.slice(0, -1));
  return value > largestUint ? undefined : value;
}

function literalOf(kind: string, text: string, isNegative: boolean): Literal | undefined {
  switch (kind) {
    case 'int': {
      const value = parseInt64(text, isNegative);
      return value === undefined ? undefined : { kind: 'int', value };
    }
    case 'uint': {
      const value = parseUint64(text);
      return value === undefined ? undefined : { kind: 'uint', value };
    }
    case 'double': {
      const value = isNegative ? -Number(text) : Number(text);
      return Number.isFinite(value) ? { kind: 'double', value } : undefined;
    }
    case 'string': {
      const value = unquoteString(text);
      return value === undefined ? undefined : { kind: 'string', value };
    }
    case 'bytes': {
      const value = unquoteBytes(text);
      return value === undefined ? undefined : { kind: 'bytes', value };
    }
    case 'true':
    case 'false':
      return { kind: 'bool', value: kind === 'true' };
    case 'null':
      return { kind: 'null', value: null };
    default:
      return undefined;
  }
}

const literalKinds = new Set(['int', 'uint', 'double', 'string', 'bytes', 'true', 'false', 'null']);

/** Undefined when the current token starts no constant. */
export function parseLiteral(parser: Parser): Expr | undefined {
  const { offset } = parser.token;
  const isNegative =
    parser.token.kind === '-' &&
    (parser.following.kind === 'int' || parser.following.kind === 'double');
  if (isNegative) parser.next();
  if (!literalKinds.has(parser.token.kind)) return undefined;
  const token = parser.next();
  const literal = literalOf(token.kind, token.text, isNegative);
  if (literal !== undefined) return literalNode(offset, literal);
  const isText = token.kind === 'string' || token.kind === 'bytes';
  const problem = isText ? 'unable to unescape string' : `invalid ${token.kind} literal`;
  parser.issues.report(offset, problem);
  return literalNode(offset, { kind: 'null', value: null });
}
