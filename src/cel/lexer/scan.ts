/** Cuts a source into tokens. What cannot be one is reported and skipped, as cel-go's lexer does. */
import type { Issues } from '../source/issues.ts';
import { type Punctuation, punctuation, type Token, type TokenKind } from './token.ts';

const words = new Set(['in', 'true', 'false', 'null']);
const signs = punctuation.filter((text) => !words.has(text));

const blank = /(?:[\t\n\r\f \v]|\/\/[^\n]*)+/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const quotedIdentifier = /`[A-Za-z0-9_.\-/ ]+`/y;
const double =
  /(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)/y;
const integer = /(?:0x[0-9a-fA-F]+|[0-9]+)[uU]?/y;
/** Prefix letters and the opening quotes of a string or bytes. */
const stringStart = /(?:[bB]?[rR]|[rR]?[bB])?(?:"""|'''|"|')/y;

function matchAt(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

/** Index behind the closing quotes, or undefined when the literal does not end. */
function endOfString(
  source: string,
  from: number,
  quotes: string,
  isRaw: boolean,
): number | undefined {
  const isMultiline = quotes.length === 3;
  for (let at = from; at < source.length; at++) {
    const character = source[at];
    if (source.startsWith(quotes, at)) return at + quotes.length;
    if (character === '\\' && !isRaw) {
      at += 1;
      const next = source[at];
      if (next === undefined || (!isMultiline && (next === '\n' || next === '\r')))
        return undefined;
      continue;
    }
    if (!isMultiline && (character === '\n' || character === '\r')) return undefined;
  }
  return undefined;
}

function scanString(source: string, offset: number): Token | undefined {
  const start = matchAt(stringStart, source, offset);
  if (start === undefined) return undefined;
  let quotes = /["']+$/.exec(start)?.[0] ?? '"';
  const prefix = start.slice(0, start.length - quotes.length).toLowerCase();
  const isRaw = prefix.includes('r');
  let end = endOfString(source, offset + start.length, quotes, isRaw);
  if (end === undefined && quotes.length === 3) {
    // Three quotes that do not end are an empty string and the start of another one.
    quotes = quotes.slice(0, 1);
    end = offset + prefix.length + 2;
  }
  if (end === undefined) return undefined;
  const kind = prefix.includes('b') ? 'bytes' : 'string';
  return { kind, text: source.slice(offset, end), offset };
}

function scanToken(source: string, offset: number): Token | undefined {
  const text = scanString(source, offset);
  if (text !== undefined) return text;
  const name = matchAt(identifier, source, offset);
  if (name !== undefined) {
    const kind: TokenKind = words.has(name) ? (name as Punctuation) : 'identifier';
    return { kind, text: name, offset };
  }
  const quoted = matchAt(quotedIdentifier, source, offset);
  if (quoted !== undefined) return { kind: 'quoted-identifier', text: quoted, offset };
  const number = matchAt(double, source, offset);
  if (number !== undefined) return { kind: 'double', text: number, offset };
  const whole = matchAt(integer, source, offset);
  if (whole !== undefined) {
    return { kind: /[uU]$/.test(whole) ? 'uint' : 'int', text: whole, offset };
  }
  const sign = signs.find((one) => source.startsWith(one, offset));
  return sign === undefined ? undefined : { kind: sign, text: sign, offset };
}

/** Text of a part that is no token, up to where the next one may start. */
function unrecognized(source: string, offset: number): string {
  if (source[offset] === '"' || source[offset] === "'") {
    const lineEnd = source.slice(offset).search(/[\n\r]/);
    return lineEnd < 0 ? source.slice(offset) : source.slice(offset, offset + lineEnd + 1);
  }
  return String.fromCodePoint(source.codePointAt(offset) ?? 0);
}

export function scan(source: string, issues: Issues): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    const space = matchAt(blank, source, offset);
    if (space !== undefined) {
      offset += space.length;
      continue;
    }
    const token = scanToken(source, offset);
    if (token === undefined) {
      const text = unrecognized(source, offset);
      const shown = text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
      issues.report(offset, `Syntax error: token recognition error at: '${shown}'`);
      offset += text.length;
      continue;
    }
    tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length });
  return tokens;
}
