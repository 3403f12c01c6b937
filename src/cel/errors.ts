import { K3tsError } from '#base/errors.ts';

/** One finding of the parser or checker; line and column as cel-go prints them, from 1. */
export interface CelIssue {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The expression is not valid; the message is what cel-go's `issues.String()` prints. */
export class CelCompileError extends K3tsError {
  readonly issues: readonly CelIssue[];

  constructor(message: string, issues: readonly CelIssue[] = []) {
    super('CelCompileError', message);
    this.name = 'CelCompileError';
    this.issues = issues;
  }
}

/** The evaluation ended in an error value; the message is cel-go's. */
export class CelRuntimeError extends K3tsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CelRuntimeError', message, options);
    this.name = 'CelRuntimeError';
  }
}

/**
 * The evaluation was stopped because the limit of one call, or the caller's budget, was spent;
 * `limit` says which.
 */
export class CelBudgetError extends K3tsError {
  readonly limit: 'call' | 'budget';

  constructor(
    message = 'operation cancelled: actual cost limit exceeded',
    limit: 'call' | 'budget' = 'call',
  ) {
    super('CelBudgetError', message);
    this.name = 'CelBudgetError';
    this.limit = limit;
  }
}
