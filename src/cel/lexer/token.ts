/** Kinds of tokens; punctuation and operators are their own text. */
export type TokenKind =
  | 'identifier'
  | 'quoted-identifier'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'end'
  | Punctuation;

export const punctuation = [
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '<',
  '>',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
  'in',
  'true',
  'false',
  'null',
] as const;

export type Punctuation = (typeof punctuation)[number];

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}
