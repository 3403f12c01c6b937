/** RE2 patterns; each text is compiled once while it is among the latest used. */
import { RE2JS } from 're2js';
import { CelRuntimeError } from '../errors.ts';

/** A pattern with a fast way to ask whether it occurs. */
export interface Regex {
  readonly program: RE2JS;
  occursIn(text: string): boolean;
}

const kept = 512;
const compiled = new Map<string, Regex>();

/**
 * Patterns made of these parts only mean the same to JavaScript's engine: literal characters and
 * classes with quantifiers, no groups or alternatives, anchored at both ends.
 */
const simple =
  /^\^(?:(?:[A-Za-z0-9 _:@#%&=,;<>~"'!-]|\\[./+*?()[\]{}|^$]|\[(?:[a-zA-Z0-9]-[a-zA-Z0-9]|[A-Za-z0-9_ .:@/+*]|\\[./-])+-?\])(?:[+*?]|\{\d{1,2}(?:,\d{1,2})?\})?)+\$$/;
/** Texts up to this length are matched natively: backtracking of two quantifiers is bounded. */
const nativeLength = 256;

/** A native pattern that gives the same answers, or undefined. */
function nativePattern(pattern: string): RegExp | undefined {
  if (pattern.length > 100 || !simple.test(pattern)) return undefined;
  const bare = pattern.replaceAll(/\\.|\[[^\]]*\]/g, 'x');
  if ((bare.match(/[+*?{]/g) ?? []).length > 2) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

function create(pattern: string): Regex {
  const program = RE2JS.compile(pattern);
  const native = nativePattern(pattern);
  const slow = (text: string): boolean => program.matcher(text).find();
  if (native === undefined) return { program, occursIn: slow };
  return {
    program,
    occursIn: (text) => (text.length <= nativeLength ? native.test(text) : slow(text)),
  };
}

/** Throws CelRuntimeError when the pattern is not RE2. */
export function compileRegex(pattern: string): Regex {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let regex: Regex;
  try {
    regex = create(pattern);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CelRuntimeError(message, { cause });
  }
  if (compiled.size >= kept) {
    const [oldest] = compiled.keys();
    if (oldest !== undefined) compiled.delete(oldest);
  }
  compiled.set(pattern, regex);
  return regex;
}
