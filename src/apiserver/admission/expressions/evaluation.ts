import { messageOf } from '#base/errors.ts';
import { CelBudgetError, CelRuntimeError } from '#cel/mod.ts';
import type { CelBudget, CelResult } from '#cel/mod.ts';
import type { CompiledExpression } from './compile.ts';

/** The budget ended: no further expression is run, and everything so far does not count. */
export class OutOfBudget extends Error {
  constructor() {
    super(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    );
    this.name = 'OutOfBudget';
  }
}

/** A value, or what went wrong in upstream's words. */
export type Outcome =
  | { readonly value: CelResult; readonly error: undefined }
  | { readonly value: undefined; readonly error: string };

/** Runs one expression. Throws OutOfBudget. */
export function evaluate(
  compiled: CompiledExpression,
  expression: string,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
): Outcome {
  const { program } = compiled;
  if (program === undefined) {
    return { value: undefined, error: `compilation error: ${compiled.error}` };
  }
  try {
    return { value: program.evaluate(variables, budget), error: undefined };
  } catch (error) {
    const isKnown = error instanceof CelRuntimeError || error instanceof CelBudgetError;
    if (!isKnown) throw error;
    if (error instanceof CelBudgetError && error.limit === 'budget') throw new OutOfBudget();
    return {
      value: undefined,
      error: `expression '${expression}' resulted in error: ${messageOf(error)}`,
    };
  }
}

/** The value of a policy's variable, kept in the engine's own form. Throws CelRuntimeError. */
export function evaluateVariable(
  name: string,
  { program, error }: CompiledExpression,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
): unknown {
  if (program === undefined) {
    throw new CelRuntimeError(
      `composited variable ${JSON.stringify(name)} fails to compile: ${error}`,
    );
  }
  try {
    return program.evaluateValue(variables, budget);
  } catch (cause) {
    if (!(cause instanceof CelRuntimeError)) throw cause;
    const text = `composited variable ${JSON.stringify(name)} fails to evaluate: ${messageOf(cause)}`;
    throw new CelRuntimeError(text, { cause });
  }
}
