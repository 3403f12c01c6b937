/** What one cell measured; values by metric, absent where the cell has no such thing. */
export interface Measurement {
  readonly cell: string;
  readonly values: Partial<Record<Metric, number>>;
  /** Wrong answers; a cell with any does not count. */
  readonly problems?: readonly string[];
}

/** Metrics with their column heads, in the order of the table. */
export const metrics = {
  cpuMs: 'CPU ms/op',
  perSecond: 'per s',
  p50Ms: 'p50 ms',
  p90Ms: 'p90 ms',
  p99Ms: 'p99 ms',
  tookMs: 'ms',
  rssMb: 'RSS MB',
  cpuPercent: 'CPU %',
} as const;

export type Metric = keyof typeof metrics;

/** p50, p90 and p99 of samples in milliseconds; nothing for no samples. */
export function percentiles(samples: readonly number[]): Measurement['values'] {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number | undefined =>
    sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  const values: Measurement['values'] = {};
  const shares = [
    ['p50Ms', 0.5],
    ['p90Ms', 0.9],
    ['p99Ms', 0.99],
  ] as const;
  for (const [metric, share] of shares) {
    const value = at(share);
    if (value !== undefined) values[metric] = value;
  }
  return values;
}
