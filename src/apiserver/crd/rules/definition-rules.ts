import type { FieldError } from '#schema/mod.ts';
import type { SchemaFieldPath, Structural, ValidationRule } from '#schema/structural/mod.ts';
import { renderValue } from '#schema/validation/mod.ts';
import { maxCardinality } from './cel-type.ts';
import type { CompiledRule } from './compile-rule.ts';
import type { RuleNode } from './rule-tree.ts';
import { compileRuleTree } from './rule-tree.ts';

const ruleLimit = 10_000_000;
const schemaLimit = 100_000_000;
const mostExpensive = 4;
/** Rules below this are not named when all together are too dear. */
const worthNaming = ruleLimit / 100;
const advice =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

/** Where a node is: how often it can occur, and what around it is a whole that is not looked into. */
interface Place {
  readonly path: SchemaFieldPath;
  readonly cardinality: number | undefined;
  readonly uncorrelatable: SchemaFieldPath | undefined;
}

/** What is wrong with the rules of a definition's schema: syntax, types, costs, use of oldSelf. */
export function checkDefinitionRules(schema: Structural, path: SchemaFieldPath): FieldError[] {
  const root = compileRuleTree(schema);
  if (root === undefined) return [];
  const check = new DefinitionCheck();
  check.visit(root, { path, cardinality: 1, uncorrelatable: undefined });
  check.total(path);
  return check.errors;
}

class DefinitionCheck {
  readonly errors: FieldError[] = [];
  readonly #costs: { path: SchemaFieldPath; cost: number }[] = [];

  visit(node: RuleNode, place: Place): void {
    const rules = place.path.child('x-kubernetes-validations');
    if (node.rules.length < node.schema.rules.length) this.#untyped(rules);
    node.rules.forEach((compiled, index) => {
      this.#rule(compiled, node, rules.at(index), place);
    });
    const { path } = place;
    const { additional, items, schema } = node;
    const isWhole = schema.mapType === 'atomic';
    const uncorrelatable = place.uncorrelatable ?? (isWhole ? path : undefined);
    for (const [name, property] of node.properties ?? []) {
      this.visit(property, { ...place, path: path.child('properties').key(name), uncorrelatable });
    }
    if (additional !== undefined) {
      this.visit(additional, {
        ...place,
        path: path.child('additionalProperties'),
        cardinality: times(place.cardinality, schema.maxProperties),
      });
    }
    if (items === undefined) return;
    const isMap = schema.listType === 'map';
    this.visit(items, {
      path: path.child('items'),
      cardinality: times(place.cardinality, schema.maxItems),
      uncorrelatable: place.uncorrelatable ?? (isMap ? undefined : path),
    });
  }

  #rule(compiled: CompiledRule, node: RuleNode, at: SchemaFieldPath, place: Place): void {
    const { rule, program, error, message, messageError, usesOldSelf } = compiled;
    const occurrences = place.cardinality ?? maxCardinality(node.minSizeBytes);
    this.#cost(at.child('rule'), 'estimated rule cost', program, occurrences);
    if (error !== undefined) this.#invalid(at.child('rule'), goRule(rule), error);
    if (messageError !== undefined)
      this.#invalid(at.child('messageExpression'), goRule(rule), messageError);
    else {
      this.#cost(at.child('messageExpression'), 'estimated messageExpression cost', message, 1);
    }
    if (usesOldSelf && place.uncorrelatable !== undefined) {
      const within = place.uncorrelatable.toString();
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${within}`;
      this.#invalid(at.child('rule'), rule.rule, detail);
    }
    if (!usesOldSelf && error === undefined && rule.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule';
      this.#invalid(at.child('optionalOldSelf'), rule.optionalOldSelf, detail);
    }
  }

  #cost(
    path: SchemaFieldPath,
    name: string,
    program: CompiledRule['program'],
    occurrences: number,
  ): void {
    if (program === undefined) return;
    const cost = Number(program.estimatedCost.max) * occurrences;
    this.#costs.push({ path, cost });
    if (cost > ruleLimit) this.#forbidden(path, excess(name, cost / ruleLimit));
  }

  total(path: SchemaFieldPath): void {
    const total = this.#costs.reduce((sum, { cost }) => sum + cost, 0);
    if (total <= schemaLimit) return;
    const worst = this.#costs
      .filter(({ cost }) => cost >= worthNaming)
      .toSorted((a, b) => b.cost - a.cost)
      .slice(0, mostExpensive);
    for (const { path: at } of worst) {
      this.#forbidden(
        at,
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      );
    }
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    this.#forbidden(path, excess(name, total / schemaLimit));
  }

  /** Values without a type cannot be looked into. */
  #untyped(path: SchemaFieldPath): void {
    const message =
      'Internal error: internal error: failed to retrieve type information for x-kubernetes-validations';
    this.errors.push({ type: 'InternalError', field: path.toString(), message });
  }

  #invalid(path: SchemaFieldPath, value: unknown, detail: string): void {
    const message = `Invalid value: ${renderValue(value)}: ${detail}`;
    this.errors.push({ type: 'FieldValueInvalid', field: path.toString(), message });
  }

  #forbidden(path: SchemaFieldPath, detail: string): void {
    const message = `Forbidden: ${detail}`;
    this.errors.push({ type: 'FieldValueForbidden', field: path.toString(), message });
  }
}

/** A rule as upstream shows it: its internal type has the names of Go, and says all of them. */
function goRule(rule: ValidationRule): Readonly<Record<string, unknown>> {
  return {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function times(cardinality: number | undefined, size: number | undefined): number | undefined {
  return cardinality === undefined || size === undefined ? undefined : cardinality * size;
}

function excess(name: string, factor: number): string {
  const text =
    factor > 100
      ? 'more than 100x'
      : factor < 1.5
        ? `${factor.toFixed(6)}x`
        : `${factor.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${text} ${advice}`;
}
