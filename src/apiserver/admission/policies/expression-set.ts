import type { CelBudget, CelEnvironment, CelField, CelType } from '#cel/mod.ts';
import { createCelEnvironment } from '#cel/mod.ts';
import type { Variable } from '#schema/types.ts';
import { compileExpression } from '../expressions/compile.ts';
import type { CompiledExpression } from '../expressions/compile.ts';
import { declaredVariables } from '../expressions/declared-types.ts';
import { evaluateVariable } from '../expressions/evaluation.ts';
import { patchMessages } from './patch-messages.ts';
import type { PolicySpec } from './policy-kinds.ts';

/** A variable of a policy, compiled; its type is that of its expression. */
interface CompiledVariable {
  readonly name: string;
  readonly expression: string;
  readonly compiled: CompiledExpression;
}

export interface ExpressionSetOptions {
  readonly spec: PolicySpec;
  /** Types of `object` and `params`; absent for evaluation, where they may be anything. */
  readonly object?: CelType | undefined;
  readonly params?: CelType | undefined;
  /** Declares Object and JSONPatch for mutations. */
  readonly hasPatchTypes?: boolean;
}

/**
 * The variables of one policy, and the environment in which its other expressions are compiled. A
 * variable may use those before it; what does not compile has type dyn and fails where it is used.
 */
export class ExpressionSet {
  readonly variables: readonly CompiledVariable[];
  readonly #options: ExpressionSetOptions;
  readonly #fields: ReadonlyMap<string, CelField>;
  readonly #environments = new Map<boolean, CelEnvironment>();

  constructor(options: ExpressionSetOptions) {
    this.#options = options;
    const fields = new Map<string, CelField>();
    this.variables = (options.spec.variables ?? []).map(({ name, expression }: Variable) => {
      const environment = this.#create(true, new Map(fields));
      const compiled = compileExpression(environment, expression, [{ kind: 'dyn' }]);
      fields.set(name, { type: compiled.program?.resultType ?? { kind: 'dyn' } });
      return { name, expression, compiled };
    });
    this.#fields = fields;
  }

  compile(
    expression: string,
    wanted: readonly CelType[],
    hasAuthorizer = true,
  ): CompiledExpression {
    let environment = this.#environments.get(hasAuthorizer);
    if (environment === undefined) {
      environment = this.#create(hasAuthorizer, this.#fields);
      this.#environments.set(hasAuthorizer, environment);
    }
    return compileExpression(environment, expression, wanted);
  }

  #create(hasAuthorizer: boolean, variables: ReadonlyMap<string, CelField>): CelEnvironment {
    const { spec, object, params, hasPatchTypes = false } = this.#options;
    const hasParams = spec.paramKind !== undefined;
    return createCelEnvironment({
      variables: declaredVariables({ hasParams, hasAuthorizer, object, params, variables }),
      authorizer: true,
      ...(hasPatchTypes ? { extensions: ['jsonpatch'], messages: patchMessages } : {}),
    });
  }

  /**
   * `variables` for one evaluation: each is worked out when it is first looked at, at the cost of
   * whoever looks.
   */
  lazyVariables(
    bindings: Readonly<Record<string, unknown>>,
    budget: CelBudget,
  ): Readonly<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    const all = { ...bindings, variables: values };
    for (const { name, compiled } of this.variables) {
      let known: { value: unknown } | { error: unknown } | undefined;
      Object.defineProperty(values, name, {
        enumerable: true,
        get() {
          if (known === undefined) {
            try {
              known = { value: evaluateVariable(name, compiled, all, budget) };
            } catch (error) {
              known = { error };
            }
          }
          if ('error' in known) throw known.error;
          return known.value;
        },
      });
    }
    return all;
  }
}
