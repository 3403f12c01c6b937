/** Constants that would fail whenever they are evaluated: patterns, durations, timestamps. */
import type { Expr } from '../source/ast.ts';
import type { Issues } from '../source/issues.ts';
import { compileRegex } from '../values/regex.ts';
import { parseGoDuration, parseTimestamp } from '../values/time.ts';

function isRegex(text: string): boolean {
  try {
    compileRegex(text);
    return true;
  } catch {
    return false;
  }
}

const validators: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseGoDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: isRegex,
};

function childrenOf(node: Expr): readonly Expr[] {
  switch (node.kind) {
    case 'select':
      return [node.operand];
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case 'list':
      return node.elements;
    case 'map':
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return node.fields.map((field) => field.value);
    case 'comprehension':
      return [node.range, node.init, node.condition, node.step, node.result];
    default:
      return [];
  }
}

/** Visits each node once, also those that macros use twice. */
export function visit(root: Expr, visitor: (node: Expr) => void): void {
  const seen = new Set<Expr>();
  const pending: Expr[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    visitor(node);
    pending.push(...childrenOf(node));
  }
}

export function validateLiterals(root: Expr, issues: Issues): void {
  visit(root, (node) => {
    if (node.kind !== 'call') return;
    const isValid = validators[node.name];
    const arg = node.args[node.args.length - 1];
    if (isValid === undefined || arg?.kind !== 'literal') return;
    if (arg.literal.kind === 'string' && !isValid(arg.literal.value)) {
      issues.report(arg.offset, `invalid ${node.name} argument`);
    }
  });
}
