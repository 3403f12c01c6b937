import type { CelType } from '#cel/mod.ts';
import type { MutatingAdmissionPolicySpec, Mutation } from '#schema/types.ts';
import type { CompiledExpression } from '../expressions/compile.ts';
import { evaluate, OutOfBudget } from '../expressions/evaluation.ts';
import { checkConditions } from '../expressions/match-conditions.ts';
import { ExpressionSet } from './expression-set.ts';

/** Actual cost of one mutation. */
const mutationBudget = 10_000_000;

/** What mutations must evaluate to. */
export const applyConfigurationType: CelType = {
  kind: 'object',
  name: 'Object',
  fields: new Map(),
};
export const jsonPatchType: CelType = {
  kind: 'list',
  element: { kind: 'object', name: 'JSONPatch', fields: new Map() },
};

/** What one mutation wants; an Error says why it could not be worked out. */
export type MutationResult =
  | { readonly type: 'ApplyConfiguration'; readonly configuration: Record<string, unknown> }
  | { readonly type: 'JSONPatch'; readonly operations: readonly unknown[] }
  | Error;

interface CompiledMutation {
  readonly mutation: Mutation;
  readonly expression: string;
  readonly compiled: CompiledExpression;
}

/** A MutatingAdmissionPolicy whose expressions are compiled; faults are kept until they are used. */
export class MutatingEvaluator {
  readonly #spec: MutatingAdmissionPolicySpec;
  readonly #expressions: ExpressionSet;
  readonly #conditions: ReadonlyMap<unknown, CompiledExpression>;
  readonly #mutations: readonly CompiledMutation[];

  constructor(spec: MutatingAdmissionPolicySpec) {
    this.#spec = spec;
    const set = (this.#expressions = new ExpressionSet({ spec, hasPatchTypes: true }));
    this.#conditions = new Map(
      (spec.matchConditions ?? []).map((one) => [
        one,
        set.compile(one.expression, [{ kind: 'bool' }]),
      ]),
    );
    this.#mutations = (spec.mutations ?? []).map((mutation) => {
      const isPatch = mutation.patchType === 'JSONPatch';
      const part = isPatch ? mutation.jsonPatch : mutation.applyConfiguration;
      const expression = part?.expression ?? '';
      const wanted = isPatch ? jsonPatchType : applyConfigurationType;
      return { mutation, expression, compiled: set.compile(expression, [wanted]) };
    });
  }

  /** How many mutations there are, to be run one after the other. */
  get length(): number {
    return this.#mutations.length;
  }

  /** Whether the matchConditions hold, or the error that failurePolicy Fail makes of theirs. */
  matches(bindings: Readonly<Record<string, unknown>>): boolean | Error {
    const { matchConditions = [], failurePolicy } = this.#spec;
    if (matchConditions.length === 0) return true;
    const variables = this.#expressions.lazyVariables(bindings, { remaining: mutationBudget });
    const programOf = (condition: unknown): CompiledExpression =>
      this.#conditions.get(condition) as CompiledExpression;
    return checkConditions(matchConditions, programOf, variables, failurePolicy === 'Ignore');
  }

  /** Works out one mutation; may be run again. */
  mutate(index: number, bindings: Readonly<Record<string, unknown>>): MutationResult {
    const { mutation, expression, compiled } = this.#mutations[index] as CompiledMutation;
    const budget = { remaining: mutationBudget };
    const variables = this.#expressions.lazyVariables(bindings, budget);
    try {
      const { value, error } = evaluate(compiled, expression, variables, budget);
      if (error !== undefined) return new Error(error);
      return mutation.patchType === 'JSONPatch'
        ? { type: 'JSONPatch', operations: operationsOf(value) }
        : { type: 'ApplyConfiguration', configuration: value as Record<string, unknown> };
    } catch (error) {
      if (error instanceof OutOfBudget) return error;
      throw error;
    }
  }
}

/** Operations as JSON patch has them: what was not set is left out. */
function operationsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [];
  return value.map((operation: Record<string, unknown>) => {
    const { op, path, from, value: operand } = operation;
    return {
      op,
      path,
      ...(from === undefined || from === '' ? {} : { from }),
      ...(operand === undefined ? {} : { value: operand }),
    };
  });
}
