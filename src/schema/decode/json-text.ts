import { K3tsError } from '#base/errors.ts';
import { renderPath } from './conform.ts';

/** What walks that go down into a value have stack for; upstream's limit is 10,000. */
const maxDepth = 2000;

/**
 * Walks JSON text once more, for what JSON.parse does not tell: fields that are given twice, and
 * syntax errors in the words of upstream's parser. Slow; use only when something is wrong.
 */
export function inspectJson(text: string): { duplicates: string[] } {
  const scanner = new Scanner(text);
  scanner.document();
  return { duplicates: [...scanner.duplicates] };
}

class Scanner {
  readonly duplicates = new Set<string>();
  readonly #text: string;
  #at = 0;
  #path: Array<string | number> = [];

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
  }

  #fail(where: string): never {
    const character = this.#text[this.#at];
    if (character === undefined) throw new K3tsError('JsonSyntax', 'unexpected end of JSON input');
    const quoted =
      character === "'" ? `'\\''` : character === '"' ? `'"'` : `'${escape(firstByte(character))}'`;
    throw new K3tsError('JsonSyntax', `invalid character ${quoted} ${where}`);
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #value(): void {
    this.#space();
    if (this.#path.length > maxDepth) throw new K3tsError('JsonSyntax', 'exceeded max depth');
    const character = this.#text[this.#at] ?? '';
    if (character === '{') this.#object();
    else if (character === '[') this.#list();
    else if (character === '"') this.#string();
    else if (character === 't') this.#literal('true');
    else if (character === 'f') this.#literal('false');
    else if (character === 'n') this.#literal('null');
    else if (/[-\d]/.test(character)) this.#number();
    else this.#fail('looking for beginning of value');
  }

  #object(): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    const seen = new Set<string>();
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string');
      const key = this.#string();
      this.#path.push(key);
      if (seen.has(key)) {
        this.duplicates.add(`duplicate field ${JSON.stringify(renderPath(this.#path))}`);
      }
      seen.add(key);
      this.#space();
      if (this.#text[this.#at] !== ':') this.#fail('after object key');
      this.#at++;
      this.#value();
      this.#path.pop();
      this.#space();
      if (this.#text[this.#at++] === ',') continue;
      this.#at--;
      if (this.#text[this.#at] !== '}') this.#fail('after object key:value pair');
      this.#at++;
      return;
    }
  }

  #list(): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (let i = 0; ; i++) {
      this.#path.push(i);
      this.#value();
      this.#path.pop();
      this.#space();
      if (this.#text[this.#at++] === ',') continue;
      this.#at--;
      if (this.#text[this.#at] !== ']') this.#fail('after array element');
      this.#at++;
      return;
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character < ' ') this.#fail('in string literal');
      this.#at++;
      if (character === '"') break;
      if (character !== '\\') continue;
      const escaped = this.#text[this.#at] ?? '';
      if (escaped === 'u') this.#unicodeEscape();
      else if (escaped === '' || !'"\\/bfnrt'.includes(escaped))
        this.#fail('in string escape code');
      else this.#at++;
    }
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #unicodeEscape(): void {
    this.#at++;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/[\dA-Fa-f]/.test(this.#text[this.#at] ?? '')) {
        this.#fail('in \\u hexadecimal character escape');
      }
    }
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] === word[i]) continue;
      this.#fail(`in literal ${word} (expecting '${word[i]}')`);
    }
  }

  #number(): void {
    const digits = (where: string): void => {
      if (!/\d/.test(this.#text[this.#at] ?? '')) this.#fail(where);
      while (/\d/.test(this.#text[this.#at] ?? '')) this.#at++;
    };
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else digits('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[-+]/.test(this.#text[this.#at] ?? '')) this.#at++;
      digits('in exponent of numeric literal');
    }
  }
}

/** Go's scanner goes by bytes, and shows the one it stopped at as a character. */
function firstByte(character: string): string {
  return String.fromCharCode(Buffer.from(character)[0] ?? 0);
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** A character as Go quotes it. */
function escape(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20 || code === 0x7f || character === '\\') {
    return shortEscapes[character] ?? `\\x${code.toString(16).padStart(2, '0')}`;
  }
  const isShown = code < 0x7f || (code > 0xa0 && code !== 0xad);
  return isShown ? character : `\\u00${code.toString(16)}`;
}

/**
 * Whether brackets nest deeper than upstream's parsers follow: parsers here would take seconds to
 * find that they cannot. In YAML quotes say little, so that brackets in texts count there as well.
 */
export function nestsTooDeep(bytes: Uint8Array, syntax: 'json' | 'yaml'): boolean {
  if (bytes.length <= maxDepth) return false;
  let depth = 0;
  const end = bytes.length;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === 0x22 && syntax === 'json') i = endOfText(bytes, i);
  }
  return syntax === 'yaml' && hasLongDashes(bytes);
}

/** Offset of the quote that ends the string which begins at `from`. */
function endOfText(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}

/** Lists in lists can be written on one line, a dash for each. */
function hasLongDashes(bytes: Uint8Array): boolean {
  let run = 0;
  for (const byte of bytes) {
    if (byte === 0x2d || byte === 0x3f) run++;
    else if (byte !== 0x20) run = 0;
    if (run > maxDepth) return true;
  }
  return false;
}

/** Colons outside strings: the number of keys that valid JSON text holds, duplicates included. */
export function countKeysInText(bytes: Uint8Array): number {
  let count = 0;
  const end = bytes.length;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i];
    if (byte === 0x3a) count++;
    if (byte !== 0x22) continue;
    for (i++; i < end && bytes[i] !== 0x22; i++) if (bytes[i] === 0x5c) i++;
  }
  return count;
}

/** The number of keys that are left after parsing. */
export function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item);
    return count;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) {
    count++;
    if (typeof object[key] === 'object') count += countKeys(object[key]);
  }
  return count;
}
