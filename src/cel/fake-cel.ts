/** What the tables of tests need: compile, run and tell the result as one comparable value. */
import { createCelEnvironment } from './environment.ts';
import { CelBudgetError, CelRuntimeError } from './errors.ts';
import type { CelEnvironmentOptions, CelType } from './types.ts';

export interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
  readonly cost: number;
  readonly estimate: readonly [number, number];
}

export function evaluateFor(
  expression: string,
  variables: Readonly<Record<string, unknown>> = {},
  options: CelEnvironmentOptions = { variables: dynVariables(variables) },
): Outcome {
  const program = createCelEnvironment(options).compile(expression);
  const { min, max } = program.estimatedCost;
  const estimate = [Number(min), Number(max)] as const;
  const budget = { remaining: Number.MAX_SAFE_INTEGER };
  const spent = (): number => Number.MAX_SAFE_INTEGER - budget.remaining;
  try {
    const value = program.evaluate(variables, budget);
    return { value, cost: spent(), estimate };
  } catch (error) {
    if (!(error instanceof CelRuntimeError || error instanceof CelBudgetError)) throw error;
    return { error: error.message, cost: spent(), estimate };
  }
}

function dynVariables(variables: Readonly<Record<string, unknown>>): Record<string, CelType> {
  return Object.fromEntries(Object.keys(variables).map((name) => [name, { kind: 'dyn' }]));
}

/** The value, or `!` and the error. */
export function resultOf(
  expression: string,
  variables?: Readonly<Record<string, unknown>>,
  options?: CelEnvironmentOptions,
): unknown {
  const outcome = evaluateFor(expression, variables, options);
  return outcome.error === undefined ? outcome.value : `!${outcome.error}`;
}
