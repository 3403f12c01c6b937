/** Stands for a value that upstream leaves out of the message. */
export const noValue: unique symbol = Symbol('no value');

/** DEL, C1 controls, soft hyphen, line and paragraph separators: JSON leaves them, Go escapes them. */
const unprintable = /[\u007f-\u00a0\u00ad\u2028\u2029\ufeff]/gu;
const goEscapes: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f', '\v': '\\v' };

/** A string as Go prints it with %q. */
export function goQuote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, (_match, code: string) => {
      const char = String.fromCharCode(Number.parseInt(code, 16));
      return char === '\u0007' ? '\\a' : (goEscapes[char] ?? `\\x${code}`);
    })
    .replace(unprintable, (char) => {
      const code = char.codePointAt(0) ?? 0;
      return code < 0x80 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, '0')}`;
    });
}

/** The value of a message: strings quoted, the rest as compact JSON. */
export function renderValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  return JSON.stringify(value) ?? 'null';
}
