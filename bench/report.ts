import { goals, isMoreBetter } from './goals.ts';
import type { Goal } from './goals.ts';
import { metrics } from './measurement.ts';
import type { Measurement, Metric } from './measurement.ts';

/** The table of measurements beside upstream's numbers and the goals. */
export function renderReport(measurements: readonly Measurement[]): string {
  const lines: string[][] = [['cell', 'what', 'value', '1.36.2', '1.20.2', 'goal', 'stretch', '']];
  for (const { cell, values, problems } of measurements) {
    let name = cell;
    for (const metric of Object.keys(metrics) as Metric[]) {
      const value = values[metric];
      if (value === undefined) continue;
      const goal = goals.find((one) => one.cell === cell && one.metric === metric);
      lines.push([
        name,
        metrics[metric],
        formatNumber(value),
        formatNumber(goal?.upstream[0]),
        formatNumber(goal?.upstream[1]),
        formatNumber(goal?.goal),
        formatNumber(goal?.stretch),
        goal === undefined ? '' : verdict(goal, value),
      ]);
      name = '';
    }
    for (const problem of problems ?? []) lines.push([name, `problem: ${problem}`]);
  }
  return renderTable(lines);
}

function verdict({ metric, goal, stretch }: Goal, value: number): string {
  const reaches = (bound: number): boolean =>
    isMoreBetter(metric) ? value >= bound : value <= bound;
  if (reaches(stretch)) return 'stretch';
  return reaches(goal) ? 'goal' : 'missed';
}

/** One line of progress. */
export function renderLine({ cell, values, problems = [] }: Measurement): string {
  const parts = (Object.keys(metrics) as Metric[])
    .filter((metric) => values[metric] !== undefined)
    .map((metric) => `${metrics[metric]} ${formatNumber(values[metric])}`);
  const end = problems.length === 0 ? '' : `  problems: ${problems.join('; ')}`;
  return `${cell.padEnd(30)} ${parts.join('  ')}${end}\n`;
}

function renderTable(lines: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2, 3, 4, 5, 6].map((column) =>
    Math.max(...lines.filter((line) => line.length > 2).map((line) => (line[column] ?? '').length)),
  );
  const isText = (column: number): boolean => column < 2 || column > 6;
  return lines
    .map((line) =>
      line
        .map((text, column) =>
          isText(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function formatNumber(value: number | undefined): string {
  if (value === undefined) return '';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}
