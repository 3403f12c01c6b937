/** List and map literals and the fields of messages. */
import type { EntryNode, Expr, FieldNode } from '../source/ast.ts';
import { listNode, mapNode } from '../source/node-factory.ts';
import type { Parser } from './parser.ts';
import { expectedElement, expectedEntry, expectedField } from './syntax-texts.ts';

function parseList(parser: Parser): Expr {
  const { offset } = parser.next();
  const elements: Expr[] = [];
  const optionals = new Set<number>();
  if (parser.token.kind === 'end') parser.fail(expectedElement);
  while (parser.token.kind !== ']') {
    if (parser.token.kind === ',' && elements.length === 0) {
      parser.next();
      break;
    }
    if (parser.accept('?') !== undefined) optionals.add(elements.length);
    elements.push(parser.parseExpression());
    if (parser.accept(',') === undefined) break;
  }
  parser.expect(']', "{',', ']'}");
  return listNode(offset, elements, optionals);
}

function parseMap(parser: Parser): Expr {
  const { offset } = parser.next();
  const entries: EntryNode[] = [];
  if (parser.token.kind === 'end') parser.fail(expectedEntry);
  while (parser.token.kind !== '}') {
    if (parser.token.kind === ',' && entries.length === 0) {
      parser.next();
      break;
    }
    const optional = parser.accept('?') !== undefined;
    const key = parser.parseExpression();
    const colon = parser.expect(':', "':'");
    entries.push({ offset: colon.offset, key, value: parser.parseExpression(), optional });
    if (parser.accept(',') === undefined) break;
  }
  parser.expect('}', "{',', '}'}");
  return mapNode(offset, entries);
}

/** Undefined when the current token opens neither. */
export function parseAggregate(parser: Parser): Expr | undefined {
  if (parser.token.kind === '[') return parseList(parser);
  if (parser.token.kind === '{') return parseMap(parser);
  return undefined;
}

/** The fields of a message behind its opening brace, up to and with the closing one. */
export function parseFields(parser: Parser): FieldNode[] {
  const fields: FieldNode[] = [];
  while (parser.token.kind !== '}') {
    if (parser.token.kind === ',' && fields.length === 0) {
      parser.next();
      break;
    }
    const optional = parser.accept('?') !== undefined;
    const name = parser.expect('identifier', expectedField).text;
    const colon = parser.expect(':', "':'");
    fields.push({ offset: colon.offset, name, value: parser.parseExpression(), optional });
    if (parser.accept(',') === undefined) break;
  }
  parser.expect('}', "{',', '}'}");
  return fields;
}
