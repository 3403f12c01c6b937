import { K3tsError } from '#base/errors.ts';

export interface IndexList {
  /** Inclusive ranges in rising order. */
  readonly ranges: ReadonlyArray<readonly [first: number, last: number]>;
  readonly count: number;
}

const integer = /^[+-]?[0-9]+$/;

/** Reads `1,3-5,7`, as jobs list their indexes. Throws K3tsError with upstream's text. */
export function parseIndexes(text: string, completions: number): IndexList {
  const ranges: Array<readonly [number, number]> = [];
  let count = 0;
  let previous: number | undefined;
  if (text === '') return { ranges, count };
  for (const part of text.split(',')) {
    const ends = part.split('-');
    if (ends.length > 2) {
      throw indexError(
        `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`,
      );
    }
    const first = indexOf(ends[0] ?? '', completions);
    if (previous !== undefined && first <= previous) throw notIncreasing(previous, first);
    let last = first;
    if (ends[1] !== undefined) {
      last = indexOf(ends[1], completions);
      if (last <= first) throw notIncreasing(first, last);
    }
    previous = last;
    ranges.push([first, last]);
    count += last - first + 1;
  }
  return { ranges, count };
}

function indexOf(text: string, completions: number): number {
  if (!integer.test(text)) {
    throw indexError(`cannot convert string to integer for index: "${text}"`);
  }
  const index = Number(text);
  if (index >= completions) throw indexError(`too large index: "${text}"`);
  return index;
}

function notIncreasing(previous: number, current: number): K3tsError {
  return indexError(`non-increasing order, previous: ${previous}, current: ${current}`);
}

function indexError(message: string): K3tsError {
  return new K3tsError('BadIndexes', message);
}

/** The lowest index that both lists have. */
export function sharedIndex(a: IndexList, b: IndexList): number | undefined {
  let left = 0;
  let right = 0;
  while (left < a.ranges.length && right < b.ranges.length) {
    const [firstA, lastA] = a.ranges[left] ?? [0, 0];
    const [firstB, lastB] = b.ranges[right] ?? [0, 0];
    if (lastA < firstB) left++;
    else if (lastB < firstA) right++;
    else return Math.max(firstA, firstB);
  }
  return undefined;
}
