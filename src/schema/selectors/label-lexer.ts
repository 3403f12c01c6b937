export type TokenType =
  | 'identifier'
  | 'end'
  | 'error'
  | ')'
  | '('
  | ','
  | '!'
  | '='
  | '=='
  | '!='
  | '>'
  | '<'
  | 'in'
  | 'notin';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
}

const symbols: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=', '>', '<']);
const special = /[=!(),><]+/y;
const word = /[^ \t\r\n=!(),><]+/y;
const space = /[ \t\r\n]*/y;

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/** The longest symbol that a run of special characters starts with. */
function symbolOf(run: string): Token {
  for (let length = Math.min(run.length, 2); length > 0; length--) {
    const text = run.slice(0, length);
    if (symbols.has(text)) return { type: text as TokenType, text };
  }
  return { type: 'error', text: `error expected: keyword found '${run}'` };
}

/** All tokens of a label selector, the last one being `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = matchAt(space, text, 0).length;
  while (at < text.length) {
    const run = matchAt(special, text, at);
    const name = run === '' ? matchAt(word, text, at) : '';
    const token: Token = run === '' ? { type: wordType(name), text: name } : symbolOf(run);
    tokens.push(token);
    at += token.type === 'error' ? run.length : token.text.length;
    at += matchAt(space, text, at).length;
  }
  tokens.push({ type: 'end', text: '' });
  return tokens;
}

function wordType(name: string): TokenType {
  return name === 'in' || name === 'notin' ? name : 'identifier';
}
