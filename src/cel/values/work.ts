/**
 * A second bound beside the cost. Some steps cost next to nothing by upstream's rules and still go
 * through large values (comparing nested lists, formatting a list); upstream lets the deadline of
 * the request end them, which a synchronous evaluation cannot. The meter is one variable since
 * evaluations never overlap; a nested one has a bound of its own.
 */
import { CelBudgetError } from '../errors.ts';

/** Elements that one evaluation may go through: well below a second. */
const workLimit = 20_000_000;
/** Longest string that functions make: beyond it the cost of using it exceeds any limit. */
const textLimit = 16_000_000;

let left = Number.POSITIVE_INFINITY;

/** Throws CelBudgetError when the evaluation has gone through too much. */
export function spendWork(elements: number): void {
  left -= elements;
  if (left < 0) throw new CelBudgetError();
}

/** As spendWork, for a plain pass over a text. */
export function spendText(length: number): void {
  spendWork(length / 16);
}

/** Throws CelBudgetError before a string is made that is longer than allowed. */
export function checkTextLength(length: number): void {
  if (length > textLimit) throw new CelBudgetError();
}

export function withWorkLimit<T>(body: () => T): T {
  const outer = left;
  left = workLimit;
  try {
    return body();
  } finally {
    left = outer;
  }
}
