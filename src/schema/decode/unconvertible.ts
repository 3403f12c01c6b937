import { hasCode } from '#base/errors.ts';
import { WrongType } from './scalar.ts';

/** Go's names of what a JSON value becomes, by the word that its decoder has for it. */
const goKinds: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'int64',
  bool: 'bool',
  array: 'slice',
  object: 'map',
};

/**
 * What upstream says of a value of the wrong type where it goes from a map to a struct without
 * JSON in between, as strategic patches do; undefined for other failures of decoding.
 */
export function unconvertibleText(error: unknown): string | undefined {
  if (!(error instanceof Error) || !hasCode(error, 'Decoding')) return undefined;
  const { cause } = error;
  if (!(cause instanceof WrongType)) return undefined;
  const want = / of type (\S+)$/.exec(error.message)?.[1] ?? '';
  const word = / unmarshal (\w+)/.exec(cause.message)?.[1] ?? '';
  const isFraction = / unmarshal number \S*[.e]/.test(cause.message);
  const kind = isFraction ? 'float64' : (goKinds[word] ?? word);
  if (want.startsWith('[]')) return `cannot restore slice from ${kind}`;
  if (want.startsWith('map[') || want === 'v1.ResourceList') {
    return `cannot restore map from ${kind}`;
  }
  if (want.includes('.') && word !== 'number') return `cannot restore struct from: ${kind}`;
  if (kind === 'int64' && want === 'string') return 'cannot convert int64 to string';
  return kind === 'float64' && want.startsWith('int')
    ? `cannot convert float64 to ${want}`
    : `unrecognized type: ${want}`;
}
