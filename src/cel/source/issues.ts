/** Collects the errors of parsing and checking and prints them the way cel-go does. */
import { CelCompileError, type CelIssue } from '../errors.ts';

/** Errors kept; more are counted only. */
const reportLimit = 100;

interface Finding {
  readonly offset: number;
  readonly message: string;
}

/** Width of a character in the line under the source, which points with dots. */
function pointer(line: string, column: number): string {
  const characters = [...line];
  let dots = '';
  for (let at = 0; at < column && at < characters.length; at++) {
    dots += (characters[at]?.codePointAt(0) ?? 0) > 0x7f ? '\uff0e' : '.';
  }
  const under = characters[column]?.codePointAt(0) ?? 0;
  return dots + (under > 0x7f ? '\uff3e' : '^');
}

export class Issues {
  readonly source: string;
  readonly #findings: Finding[] = [];
  #dropped = 0;

  constructor(source: string) {
    this.source = source;
  }

  get isEmpty(): boolean {
    return this.#findings.length === 0;
  }

  report(offset: number, message: string): void {
    const isKnown = this.#findings.some((one) => one.offset === offset && one.message === message);
    if (isKnown) return;
    if (this.#findings.length >= reportLimit) {
      this.#dropped += 1;
      return;
    }
    this.#findings.push({ offset, message });
  }

  /** Throws when something was reported. */
  throwIfAny(): void {
    if (this.isEmpty) return;
    const sorted = [...this.#findings].sort((a, b) => a.offset - b.offset);
    const issues: CelIssue[] = [];
    const texts = sorted.map(({ offset, message }) => {
      const before = this.source.slice(0, offset);
      const lineStart = before.lastIndexOf('\n') + 1;
      const line = before.split('\n').length;
      const column = Array.from(before.slice(lineStart)).length;
      issues.push({ line, column: column + 1, message });
      const lineEnd = this.source.indexOf('\n', lineStart);
      const text = this.source
        .slice(lineStart, lineEnd < 0 ? undefined : lineEnd)
        .replaceAll('\t', ' ');
      const head = `ERROR: <input>:${line}:${column + 1}: ${message}`;
      return `${head}\n | ${text}\n | ${pointer(text, column)}`;
    });
    if (this.#dropped > 0) texts.push(`${this.#dropped} more errors were truncated`);
    throw new CelCompileError(`compilation failed: ${texts.join('\n')}`, issues);
  }
}
