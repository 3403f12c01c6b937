import type { YAMLError } from 'yaml';

/** A problem in the words of upstream's parser. */
interface Problem {
  readonly text: string;
  /** Offset of the place that upstream's parser stops at. */
  readonly at: number;
  /** Found by the scanner, which counts lines from 1; the parser counts them from 0. */
  readonly isScanned: boolean;
}

/**
 * Says what is wrong with YAML text as upstream's parser would: it stops at another place, has
 * words of its own, and names no line for problems in the first one.
 */
export function yamlProblem(error: YAMLError, text: string): string {
  const problem = problemOf(error, text);
  if (problem === undefined) return `line ${lineAt(text, error.pos[0]) + 1}: ${reasonOf(error)}`;
  const line = lineAt(text, problem.at);
  if (line === 0) return problem.text;
  return `line ${problem.isScanned ? line + 1 : line}: ${problem.text}`;
}

/** What no text may hold; upstream's reader names no line. */
export function hasControlCharacters(text: string): boolean {
  return /[\p{Cc}--[\t\n\r\x85]]/v.test(text);
}

function reasonOf(error: YAMLError): string {
  return (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}

/** Lines that end before an offset. */
function lineAt(text: string, offset: number): number {
  let line = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

function problemOf(error: YAMLError, text: string): Problem | undefined {
  const [at, end] = error.pos;
  const message = reasonOf(error);
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return scanned('mapping values are not allowed in this context', colonAfter(text, at));
    case 'TAB_AS_INDENT':
    case 'BAD_SCALAR_START':
      return scanned('found character that cannot start any token', at);
    case 'BAD_DQ_ESCAPE':
      return scanned(escapeProblem(message), at);
    case 'BAD_INDENT':
      if (message.startsWith('Flow')) return flowProblem(text, message.includes('map'), at);
      return parsed(entryProblem(message.includes('sequence')), at);
    case 'MISSING_CHAR':
      return missing(text, message, at, end);
    case 'UNEXPECTED_TOKEN':
      return unexpected(text, message, at);
    default:
      return undefined;
  }
}

function scanned(text: string, at: number): Problem {
  return { text, at, isScanned: true };
}

function parsed(text: string, at: number): Problem {
  return { text, at, isScanned: false };
}

/** The colon that cannot be where it is. */
function colonAfter(text: string, at: number): number {
  const found = /:(?=\s|$)/g;
  found.lastIndex = at;
  return found.exec(text)?.index ?? at;
}

function escapeProblem(message: string): string {
  return /sequence \\[xuU]/.test(message)
    ? 'did not find expected hexdecimal number'
    : 'found unknown escape character';
}

/** A flow collection that is not closed before `at`: upstream reads on, over lines. */
function flowProblem(text: string, isMap: boolean, at: number): Problem {
  const before = text.slice(0, at).trimEnd().at(-1) ?? '';
  const rest = text.slice(at).trim();
  const stop = rest === '' ? text.length : colonAfter(text, at);
  if (rest === '' && '[{,:'.includes(before)) {
    return parsed('did not find expected node content', stop);
  }
  return parsed(`did not find expected ',' or '${isMap ? '}' : ']'}'`, stop);
}

function entryProblem(isSequence: boolean): string {
  return isSequence ? "did not find expected '-' indicator" : 'did not find expected key';
}

function missing(text: string, message: string, at: number, end: number): Problem | undefined {
  if (message.startsWith('Missing closing')) {
    return scanned('found unexpected end of stream', text.length);
  }
  if (message.startsWith('Implicit map keys')) {
    const next = /[^\s]/g;
    next.lastIndex = text.indexOf('\n', Math.max(at, end - 1));
    const isLast = next.lastIndex < 0;
    const found = isLast ? undefined : next.exec(text)?.index;
    return scanned("could not find expected ':'", found ?? text.length);
  }
  if (message.startsWith('Flow')) return flowProblem(text, message.includes('map'), at);
  if (!message.startsWith('Missing ,')) return undefined;
  return parsed("did not find expected ',' or '}'", at);
}

function unexpected(text: string, message: string, at: number): Problem | undefined {
  if (message.includes('block-seq-ind')) {
    return scanned('block sequence entries are not allowed in this context', at);
  }
  const start = text.trimStart();
  if (/^[[{"']/.test(start)) return parsed('did not find expected <document start>', at);
  return parsed(entryProblem(/^-\s/.test(start)), at);
}
