import { messageOf } from '#base/errors.ts';
import { createCelEnvironment } from '#cel/mod.ts';
import type { CelEnvironment } from '#cel/mod.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { MatchCondition } from '#schema/types.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { authorizerVariables } from './authorizer-variables.ts';
import { compileExpression } from './compile.ts';
import type { ConditionOwner, ObserveConditions } from './condition-metrics.ts';
import type { CompiledExpression } from './compile.ts';
import { Decisions } from './decisions.ts';
import { declaredVariables } from './declared-types.ts';
import { evaluate, OutOfBudget } from './evaluation.ts';
import { requestValue } from './request-value.ts';

/** Actual cost of all matchConditions of one webhook or policy for one request. */
const conditionBudget = 2_500_000;

export interface MatchConditionInput {
  readonly conditions: readonly MatchCondition[];
  /** Whose they are, for the metrics. */
  readonly owner: ConditionOwner;
  /** failurePolicy Ignore: what cannot be evaluated means no match. */
  readonly isFailOpen: boolean;
  readonly attributes: AdmissionAttributes;
  readonly view: AdmissionRequestView;
  /** The resource in the version of the objects. */
  readonly resource: ResourceInfo;
  readonly object: UnknownObject | undefined;
  readonly oldObject: UnknownObject | undefined;
}

export interface MatchConditionChecker {
  /**
   * Whether all conditions hold. One that is false decides, whatever happens to the others. Throws
   * an Error with upstream's text for errors where failurePolicy is Fail.
   */
  check(input: MatchConditionInput): Promise<boolean>;
}

/** Conditions of webhooks; each is compiled at its first use. */
export function createMatchConditionChecker(options: {
  authorizer: Authorizer;
  observe?: ObserveConditions | undefined;
}): MatchConditionChecker {
  let environment: CelEnvironment | undefined;
  const compiled = new WeakMap<MatchCondition, CompiledExpression>();
  const programOf = (condition: MatchCondition): CompiledExpression => {
    let known = compiled.get(condition);
    if (known === undefined) {
      environment ??= createMatchConditionEnvironment(false);
      known = compileExpression(environment, condition.expression, [{ kind: 'bool' }]);
      compiled.set(condition, known);
    }
    return known;
  };
  return {
    async check(input) {
      const { conditions, attributes, view, resource, object, oldObject, isFailOpen } = input;
      const observed = options.observe?.(input.owner, attributes.operation);
      const decisions = new Decisions(options.authorizer);
      const variables = {
        object: object ?? null,
        oldObject: oldObject ?? null,
        request: requestValue(attributes, view, resource),
        namespaceObject: null,
        ...authorizerVariables(decisions, attributes, view),
      };
      const verdict = await decisions.settle(() =>
        checkConditions(conditions, programOf, variables, isFailOpen),
      );
      observed?.(verdict instanceof Error ? 'error' : verdict ? 'met' : 'excluded');
      if (verdict instanceof Error) throw verdict;
      return verdict;
    },
  };
}

/** The environment of matchConditions; those of policies also see `params`. */
export function createMatchConditionEnvironment(hasParams: boolean): CelEnvironment {
  return createCelEnvironment({
    variables: declaredVariables({ hasParams, hasAuthorizer: true }),
    authorizer: true,
  });
}

/** The verdict on conditions, or the error that failurePolicy Fail makes of theirs. */
export function checkConditions(
  conditions: readonly MatchCondition[],
  programOf: (condition: MatchCondition) => CompiledExpression,
  variables: Readonly<Record<string, unknown>>,
  isFailOpen: boolean,
): boolean | Error {
  const budget = { remaining: conditionBudget };
  const errors: string[] = [];
  try {
    for (const condition of conditions) {
      const outcome = evaluate(programOf(condition), condition.expression, variables, budget);
      if (outcome.error !== undefined) errors.push(outcome.error);
      else if (outcome.value === false) return false;
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    return isFailOpen ? false : new Error(messageOf(error), { cause: error });
  }
  if (errors.length === 0) return true;
  if (isFailOpen) return false;
  const unique = [...new Set(errors)];
  return new Error(unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`);
}
