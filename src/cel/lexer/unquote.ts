/** Turns the text of a string or bytes literal into its value. */

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

interface Body {
  readonly text: string;
  readonly isRaw: boolean;
}

function bodyOf(literal: string): Body {
  const prefix = /^[rRbB]*/.exec(literal)?.[0] ?? '';
  const quoted = literal.slice(prefix.length);
  const isTriple = /^("""|''')/.test(quoted) && quoted.length >= 6;
  const width = isTriple ? 3 : 1;
  const text = quoted.slice(width, quoted.length - width);
  return { text: text.replaceAll(/\r\n?/g, '\n'), isRaw: /[rR]/.test(prefix) };
}

interface Escape {
  readonly length: number;
  readonly code: number;
  /** One byte of a bytes literal, not a character. */
  readonly isByte: boolean;
}

const numericEscapes: readonly { pattern: RegExp; radix: number; isByte: boolean }[] = [
  { pattern: /\\[xX]([0-9a-fA-F]{2})/y, radix: 16, isByte: true },
  { pattern: /\\u([0-9a-fA-F]{4})/y, radix: 16, isByte: false },
  { pattern: /\\U([0-9a-fA-F]{8})/y, radix: 16, isByte: false },
  { pattern: /\\([0-3][0-7]{2})/y, radix: 8, isByte: true },
];

function escapeAt(text: string, at: number): Escape | undefined {
  const simple = simpleEscapes[text[at + 1] ?? ''];
  if (simple !== undefined) return { length: 2, code: simple.charCodeAt(0), isByte: false };
  for (const { pattern, radix, isByte } of numericEscapes) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) continue;
    const code = Number.parseInt(match[1] ?? '', radix);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    return { length: match[0].length, code, isByte };
  }
  return undefined;
}

/** Undefined when an escape sequence is not valid. */
export function unquoteString(literal: string): string | undefined {
  const { text, isRaw } = bodyOf(literal);
  if (isRaw || !text.includes('\\')) return text;
  let value = '';
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      value += text[at];
      at += 1;
      continue;
    }
    const escape = escapeAt(text, at);
    if (escape === undefined) return undefined;
    value += String.fromCodePoint(escape.code);
    at += escape.length;
  }
  return value;
}

/** As unquoteString; hexadecimal and octal escapes are single bytes, `\u` is not allowed. */
export function unquoteBytes(literal: string): Uint8Array | undefined {
  const { text, isRaw } = bodyOf(literal);
  if (isRaw || !text.includes('\\')) return new TextEncoder().encode(text);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      const next = text.indexOf('\\', at);
      const end = next < 0 ? text.length : next;
      parts.push(new TextEncoder().encode(text.slice(at, end)));
      at = end;
      continue;
    }
    if (/[uU]/.test(text[at + 1] ?? '')) return undefined;
    const escape = escapeAt(text, at);
    if (escape === undefined) return undefined;
    parts.push(Uint8Array.of(escape.code));
    at += escape.length;
  }
  return new Uint8Array(Buffer.concat(parts));
}
