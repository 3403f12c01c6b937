import { CelBudgetError } from '../errors.ts';
import type { CelValue } from '../values/value.ts';

/** State of one evaluation. */
export interface Frame {
  cost: number;
  /** The evaluation ends when the cost exceeds this. */
  readonly limit: number;
  /** Converted variables first, then those of loops. */
  readonly slots: (CelValue | Failure | undefined)[];
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An expression ready to run. */
export type Evaluate = (frame: Frame) => CelValue;

/** An error kept as the value of an accumulator until something absorbs it. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new CelBudgetError();
}

/** Budget errors end the evaluation; nothing absorbs them. */
export function rethrowFatal(error: unknown): void {
  if (error instanceof CelBudgetError || error instanceof RangeError) throw error;
}
