import type { CelType } from '#cel/mod.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type {
  MatchCondition,
  MutatingAdmissionPolicySpec,
  ValidatingAdmissionPolicySpec,
} from '#schema/types.ts';
import { compileExpression } from '../expressions/compile.ts';
import type { CompiledExpression } from '../expressions/compile.ts';
import { createMatchConditionEnvironment } from '../expressions/match-conditions.ts';
import { isSameJson } from '../../json-copy.ts';
import type { KindHookTable, KindHooks } from '../../kinds/kind-hooks.ts';
import { ExpressionSet } from './expression-set.ts';
import { applyConfigurationType, jsonPatchType } from './mutating-evaluator.ts';
import type { PolicySpec } from './policy-kinds.ts';

const bool: CelType = { kind: 'bool' };
const text: CelType = { kind: 'string' };

/** Collects what is wrong with expressions, in upstream's form. */
class ExpressionErrors {
  readonly errors: FieldError[] = [];

  add(field: string, expression: string | undefined, compiled: CompiledExpression): void {
    if (compiled.error === undefined) return;
    this.errors.push({
      type: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(expression ?? '')}: ${compiled.error}`,
    });
  }
}

/**
 * Validation of the expressions in admission's own configuration. Stored expressions that a change
 * leaves as they are, are not judged again.
 */
export function createPolicyHooks(): KindHookTable {
  const group = 'admissionregistration.k8s.io';
  const webhooks: KindHooks = { validate: (object, old) => webhookErrors(object, old) };
  return {
    [`validatingadmissionpolicies.${group}`]: {
      validate: (object, old) => policyErrors(object, old, validatingErrors),
    },
    [`mutatingadmissionpolicies.${group}`]: {
      validate: (object, old) => policyErrors(object, old, mutatingErrors),
    },
    [`validatingwebhookconfigurations.${group}`]: webhooks,
    [`mutatingwebhookconfigurations.${group}`]: webhooks,
  };
}

function policyErrors<S extends PolicySpec>(
  object: UnknownObject,
  old: UnknownObject | undefined,
  find: (spec: S) => readonly FieldError[],
): readonly FieldError[] {
  const spec = object['spec'] as S | undefined;
  if (spec === undefined || (old !== undefined && isSameJson(spec, old['spec']))) return [];
  return find(spec);
}

/** Variables and matchConditions, which both sorts have. */
function commonErrors(spec: PolicySpec, set: ExpressionSet, found: ExpressionErrors): void {
  for (const [index, { expression }] of (spec.matchConditions ?? []).entries()) {
    if (isBlank(expression)) continue;
    const field = `spec.matchConditions[${index}].expression`;
    found.add(field, expression, set.compile(expression, [bool]));
  }
  for (const [index, { expression, compiled }] of set.variables.entries()) {
    if (!isBlank(expression))
      found.add(`spec.variables[${index}].expression`, expression, compiled);
  }
}

function validatingErrors(spec: ValidatingAdmissionPolicySpec): readonly FieldError[] {
  const found = new ExpressionErrors();
  const set = new ExpressionSet({ spec });
  commonErrors(spec, set, found);
  for (const [index, validation] of (spec.validations ?? []).entries()) {
    const { expression, messageExpression } = validation;
    const field = `spec.validations[${index}]`;
    if (!isBlank(expression)) {
      found.add(`${field}.expression`, expression, set.compile(expression, [bool]));
    }
    if (!isBlank(messageExpression)) {
      const compiled = set.compile(messageExpression ?? '', [text], false);
      found.add(`${field}.messageExpression`, messageExpression, compiled);
    }
  }
  for (const [index, { valueExpression }] of (spec.auditAnnotations ?? []).entries()) {
    if (isBlank(valueExpression)) continue;
    const compiled = set.compile(valueExpression, [text, { kind: 'null' }], false);
    found.add(`spec.auditAnnotations[${index}].valueExpression`, valueExpression, compiled);
  }
  return found.errors;
}

function mutatingErrors(spec: MutatingAdmissionPolicySpec): readonly FieldError[] {
  const found = new ExpressionErrors();
  const set = new ExpressionSet({ spec, hasPatchTypes: true });
  commonErrors(spec, set, found);
  for (const [index, { applyConfiguration, jsonPatch }] of (spec.mutations ?? []).entries()) {
    const field = `spec.mutations[${index}]`;
    if (!isBlank(applyConfiguration?.expression)) {
      const expression = applyConfiguration?.expression ?? '';
      const compiled = set.compile(expression, [applyConfigurationType]);
      found.add(`${field}.applyConfiguration.expression`, expression, compiled);
    }
    if (!isBlank(jsonPatch?.expression)) {
      const expression = jsonPatch?.expression ?? '';
      const compiled = set.compile(expression, [jsonPatchType]);
      found.add(`${field}.jsonPatch.expression`, expression, compiled);
    }
  }
  return found.errors;
}

function webhookErrors(
  object: UnknownObject,
  old: UnknownObject | undefined,
): readonly FieldError[] {
  const known = new Set(conditionsOf(old).map(({ condition }) => condition.expression));
  const conditions = conditionsOf(object).filter(
    ({ condition: { expression } }) => !isBlank(expression) && !known.has(expression),
  );
  if (conditions.length === 0) return [];
  const found = new ExpressionErrors();
  const environment = createMatchConditionEnvironment(false);
  for (const { field, condition } of conditions) {
    const { expression } = condition;
    found.add(field, expression, compileExpression(environment, expression, [bool]));
  }
  return found.errors;
}

function conditionsOf(
  object: UnknownObject | undefined,
): { field: string; condition: MatchCondition }[] {
  const webhooks = (object?.['webhooks'] ?? []) as { matchConditions?: MatchCondition[] }[];
  return webhooks.flatMap(({ matchConditions = [] }, webhook) =>
    matchConditions.map((condition, index) => ({
      field: `webhooks[${webhook}].matchConditions[${index}].expression`,
      condition,
    })),
  );
}

function isBlank(expression: string | undefined): boolean {
  return expression === undefined || expression.trim() === '';
}
