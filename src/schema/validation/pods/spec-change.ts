/** Lines beyond this are left out: a diff in an error is for people. */
const maxLines = 100;

/**
 * Which leaves of `wanted` would have to change: a line a leaf, `-` as asked for, `+` as it has to
 * be. Upstream prints a diff of Go structs here, whose form it does not promise.
 */
export function describeChange(asked: unknown, wanted: unknown): string {
  const lines: string[] = [];
  collect(lines, '', asked, wanted);
  if (lines.length > maxLines) lines.splice(maxLines, lines.length, '  ...');
  return `${lines.join('\n')}\n`;
}

function collect(lines: string[], path: string, asked: unknown, wanted: unknown): void {
  if (asked === wanted || lines.length > maxLines) return;
  const left = partsOf(asked);
  const right = partsOf(wanted);
  if (left !== undefined && right !== undefined) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const step = Array.isArray(asked) ? `[${key}]` : path === '' ? key : `.${key}`;
      collect(lines, `${path}${step}`, left[key], right[key]);
    }
    return;
  }
  if (asked !== undefined) lines.push(`- ${path}: ${JSON.stringify(asked)}`);
  if (wanted !== undefined) lines.push(`+ ${path}: ${JSON.stringify(wanted)}`);
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return value as Readonly<Record<string, unknown>>;
}
