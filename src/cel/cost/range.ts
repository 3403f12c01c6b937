/** Ranges of sizes and costs; sums and products stay within uint64. */
export interface CostRange {
  readonly min: bigint;
  readonly max: bigint;
}

export const largestCost = 2n ** 64n - 1n;

function capped(value: bigint): bigint {
  return value > largestCost ? largestCost : value;
}

export function fixed(value: number | bigint): CostRange {
  return { min: BigInt(value), max: BigInt(value) };
}

export const zeroCost = fixed(0);
export const unknownSize: CostRange = { min: 0n, max: largestCost };

export function addRanges(...ranges: readonly CostRange[]): CostRange {
  let min = 0n;
  let max = 0n;
  for (const range of ranges) {
    min += range.min;
    max += range.max;
  }
  return { min: capped(min), max: capped(max) };
}

export function multiplyRanges(a: CostRange, b: CostRange): CostRange {
  return { min: capped(a.min * b.min), max: capped(a.max * b.max) };
}

function scale(value: bigint, factor: number): bigint {
  const scaled = Math.ceil(Number(value) * factor);
  return scaled >= 2 ** 64 ? largestCost : BigInt(scaled);
}

/** Rounded up. */
export function scaleRange(range: CostRange, factor: number): CostRange {
  return { min: scale(range.min, factor), max: scale(range.max, factor) };
}

export function unionRanges(a: CostRange, b: CostRange): CostRange {
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max };
}
