import type { CelType } from '#cel/mod.ts';
import type { ValidatingAdmissionPolicySpec, Validation } from '#schema/types.ts';
import type { CompiledExpression } from '../expressions/compile.ts';
import { evaluate, OutOfBudget } from '../expressions/evaluation.ts';
import { checkConditions } from '../expressions/match-conditions.ts';
import { ExpressionSet } from './expression-set.ts';

/** Actual cost of all expressions of one policy for one request. */
const policyBudget = 10_000_000;
/** Longest result of a messageExpression. */
const maxMessageBytes = 5 * 1024;

const bool: CelType = { kind: 'bool' };
const text: CelType = { kind: 'string' };

/** What one validation says of a request. */
export interface PolicyDecision {
  readonly isDenied: boolean;
  readonly message: string;
  /** Of the answer: Invalid when the validation names none and when it could not be evaluated. */
  readonly reason: string;
  /** It could not be evaluated. */
  readonly isFaulty?: boolean;
}

export interface PolicyVerdict {
  readonly decisions: readonly PolicyDecision[];
  /** Values to publish, by key. */
  readonly annotations: readonly (readonly [key: string, value: string])[];
  /** Annotations that could not be evaluated, where failurePolicy is Fail. */
  readonly annotationErrors: readonly string[];
}

const noVerdict: PolicyVerdict = { decisions: [], annotations: [], annotationErrors: [] };

interface CompiledValidation {
  readonly validation: Validation;
  readonly compiled: CompiledExpression;
  readonly message: CompiledExpression | undefined;
}

/** A ValidatingAdmissionPolicy whose expressions are compiled; faults are kept until they are used. */
export class ValidatingEvaluator {
  readonly #spec: ValidatingAdmissionPolicySpec;
  readonly #expressions: ExpressionSet;
  readonly #conditions: ReadonlyMap<unknown, CompiledExpression>;
  readonly #validations: readonly CompiledValidation[];
  readonly #annotations: readonly {
    key: string;
    expression: string;
    compiled: CompiledExpression;
  }[];

  constructor(spec: ValidatingAdmissionPolicySpec) {
    this.#spec = spec;
    const set = (this.#expressions = new ExpressionSet({ spec }));
    this.#conditions = new Map(
      (spec.matchConditions ?? []).map((one) => [one, set.compile(one.expression, [bool])]),
    );
    this.#validations = (spec.validations ?? []).map((validation) => {
      const { expression, messageExpression = '' } = validation;
      const message =
        messageExpression === '' ? undefined : set.compile(messageExpression, [text], false);
      return { validation, compiled: set.compile(expression, [bool]), message };
    });
    this.#annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: valueExpression,
      compiled: set.compile(valueExpression, [text, { kind: 'null' }], false),
    }));
  }

  /** Evaluates everything; depends on nothing but `bindings`, and may be run again. */
  evaluate(bindings: Readonly<Record<string, unknown>>): PolicyVerdict {
    const isFailOpen = this.#spec.failurePolicy === 'Ignore';
    const faulty = (message: string): PolicyVerdict => ({
      ...noVerdict,
      decisions: [{ isDenied: !isFailOpen, message, reason: 'Invalid', isFaulty: true }],
    });
    const { matchConditions = [] } = this.#spec;
    if (matchConditions.length > 0) {
      const variables = this.#expressions.lazyVariables(bindings, { remaining: policyBudget });
      const programOf = (condition: unknown): CompiledExpression =>
        this.#conditions.get(condition) as CompiledExpression;
      const isMet = checkConditions(matchConditions, programOf, variables, isFailOpen);
      if (isMet instanceof Error) return faulty(isMet.message);
      if (!isMet) return noVerdict;
    }
    try {
      return {
        decisions: this.#decide(bindings, isFailOpen),
        ...this.#annotate(bindings, isFailOpen),
      };
    } catch (error) {
      if (error instanceof OutOfBudget) return faulty(error.message);
      throw error;
    }
  }

  #decide(bindings: Readonly<Record<string, unknown>>, isFailOpen: boolean): PolicyDecision[] {
    const budget = { remaining: policyBudget };
    const variables = this.#expressions.lazyVariables(bindings, budget);
    return this.#validations.map(({ validation, compiled, message }) => {
      const { expression, reason = 'Invalid' } = validation;
      const { value, error } = evaluate(compiled, expression, variables, budget);
      if (error !== undefined)
        return { isDenied: !isFailOpen, message: error, reason: 'Invalid', isFaulty: true };
      if (value === true) return { isDenied: false, message: '', reason: '' };
      const said =
        message === undefined
          ? ''
          : evaluatedMessage(
              evaluate(message, validation.messageExpression ?? '', variables, budget).value,
            );
      return { isDenied: true, message: denialText(validation, said), reason };
    });
  }

  #annotate(
    bindings: Readonly<Record<string, unknown>>,
    isFailOpen: boolean,
  ): Pick<PolicyVerdict, 'annotations' | 'annotationErrors'> {
    const budget = { remaining: policyBudget };
    const variables = this.#expressions.lazyVariables(bindings, budget);
    const annotations: (readonly [string, string])[] = [];
    const annotationErrors: string[] = [];
    for (const { key, expression, compiled } of this.#annotations) {
      const { value, error } = evaluate(compiled, expression, variables, budget);
      if (error !== undefined) {
        if (!isFailOpen) annotationErrors.push(error);
      } else if (typeof value === 'string' && value.trim() !== '') {
        annotations.push([key, value.trim()]);
      }
    }
    return { annotations, annotationErrors };
  }
}

/** A message that is too long or has several lines is none. */
function evaluatedMessage(value: unknown): string {
  if (typeof value !== 'string') return '';
  const message = value.trim();
  const isUnfit = Buffer.byteLength(message) > maxMessageBytes || message.includes('\n');
  return isUnfit ? '' : message;
}

function denialText({ message = '', expression }: Validation, said: string): string {
  if (said !== '') return said;
  return message === '' ? `failed expression: ${expression.trim()}` : message.trim();
}
