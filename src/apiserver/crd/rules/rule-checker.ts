import type { CelBudget } from '#cel/mod.ts';
import { CelBudgetError } from '#cel/mod.ts';
import { messageOf } from '#base/errors.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { Structural } from '#schema/structural/mod.ts';
import {
  fieldOfOld,
  isMap,
  isSame,
  itemLookup,
  rootOfObject,
  unrelated,
} from '#schema/structural/mod.ts';
import type { SchemaFieldPath } from '#schema/structural/mod.ts';
import type { CustomFindings } from '../../custom-kind.ts';
import type { CompiledRule } from './compile-rule.ts';
import { ruleError } from './rule-error.ts';
import type { RuleNode } from './rule-tree.ts';
import { compileRuleTree } from './rule-tree.ts';

/** Upstream's budget for all rules of one object. */
const budgetPerObject = 10_000_000;
const maxMessageBytes = 5 * 1024;

export interface RuleChecker {
  /** Runs all rules; those about an unchanged value only warn. `old` is absent on creation. */
  check(object: UnknownObject, old: UnknownObject | undefined): CustomFindings;
}

/** Compiles the rules of a schema at first use. */
export function createRuleChecker(schema: Structural): RuleChecker {
  let tree: { root: RuleNode | undefined } | undefined;
  return {
    check(object, old) {
      tree ??= { root: compileRuleTree(schema) };
      const run = new Run(true);
      if (tree.root !== undefined) {
        const pair = { value: object, old: old ?? unrelated };
        run.visit(tree.root, pair, rootOfObject, () => false);
      }
      return run;
    },
  };
}

/** What the rules of a node and below say of its default, which is its own old value. */
export function checkDefaultByRules(schema: Structural, path: SchemaFieldPath): FieldError[] {
  const root = compileRuleTree(schema, schema.isEmbedded);
  if (root === undefined) return [];
  const run = new Run(false);
  run.visit(root, { value: schema.defaultValue, old: schema.defaultValue }, path, () => false);
  return run.errors;
}

/** A value and its counterpart in the stored object. */
interface Pair {
  readonly value: unknown;
  readonly old: unknown;
  /** The counterpart lies in a whole: it tells what changed, but rules do not get to see it. */
  readonly isHidden?: boolean;
}

/** One pass over one object. Ends early when the budget does. */
class Run implements CustomFindings {
  readonly errors: FieldError[] = [];
  readonly warnings: string[] = [];
  readonly #budget: CelBudget = { remaining: budgetPerObject };
  readonly #ratchets: boolean;
  #isOver = false;

  constructor(ratchets: boolean) {
    this.#ratchets = ratchets;
  }

  /** `wasSame` says whether the nearest place around that has a counterpart did not change. */
  visit(node: RuleNode, pair: Pair, path: SchemaFieldPath, wasSame: () => boolean): void {
    const { value, old, isHidden = false } = pair;
    if (this.#isOver || value === null || value === undefined) return;
    const isUnchanged = once(() => {
      if (!this.#ratchets) return false;
      return old === unrelated ? wasSame() : isSame(value, old, node.schema);
    });
    for (const compiled of node.rules) {
      if (this.#isOver) return;
      this.#rule(compiled, pair, path, isUnchanged);
    }
    if (Array.isArray(value)) {
      const { items } = node;
      if (items === undefined) return;
      const find = itemLookup(node.schema, old);
      value.forEach((item: unknown, index) => {
        this.visit(items, { value: item, old: find(item), isHidden }, path.at(index), isUnchanged);
      });
    } else if (isMap(value)) {
      this.#map(node, value, pair, path, isUnchanged);
    }
  }

  #map(
    { schema, properties, additional }: RuleNode,
    map: Readonly<Record<string, unknown>>,
    { old, isHidden: wasHidden = false }: Pair,
    path: SchemaFieldPath,
    isUnchanged: () => boolean,
  ): void {
    const isHidden = wasHidden || schema.mapType === 'atomic';
    const pairOf = (key: string): Pair => ({
      value: map[key],
      old: fieldOfOld(old, key),
      isHidden,
    });
    for (const [name, property] of properties ?? []) {
      if (map[name] === undefined) continue;
      this.visit(property, pairOf(name), path.child(name), isUnchanged);
    }
    if (additional === undefined) return;
    for (const key in map) this.visit(additional, pairOf(key), path.key(key), isUnchanged);
  }

  #rule(
    compiled: CompiledRule,
    { value, old, isHidden }: Pair,
    path: SchemaFieldPath,
    isUnchanged: () => boolean,
  ): void {
    const { rule, program, error } = compiled;
    if (error !== undefined || program === undefined) {
      this.errors.push(ruleError(path, value, `rule compile error: ${error ?? ''}`));
      return;
    }
    const hasOld = isHidden !== true && old !== unrelated && old !== null;
    const isOptional = rule.optionalOldSelf === true;
    if (compiled.usesOldSelf && !hasOld && !isOptional) return;
    // null is the optional without a value
    const variables = {
      self: value,
      ...(hasOld || isOptional ? { oldSelf: hasOld ? old : null } : {}),
    };
    if (this.#budget.remaining <= 0) {
      this.#end(path, value);
      return;
    }
    let isValid: boolean;
    try {
      isValid = program.evaluate(variables, this.#budget) === true;
    } catch (cause) {
      this.#failed(compiled, cause, path, value);
      return;
    }
    if (isValid) return;
    const detail = this.#message(compiled, variables) ?? messageOfRule(compiled);
    if (this.#isOver) return;
    const at = fieldPathOf(path, rule.fieldPath);
    const broken = ruleError(at, value, detail, rule.reason);
    // what was wrong before and did not change is no reason to refuse other changes
    if (!compiled.usesOldSelf && isUnchanged()) {
      this.warnings.push(`${broken.field}: ${broken.message}`);
    } else this.errors.push(broken);
  }

  #failed(compiled: CompiledRule, cause: unknown, path: SchemaFieldPath, value: unknown): void {
    const why = messageOf(cause);
    const text = compiled.rule.message?.trim() || compiled.rule.rule.trim();
    if (cause instanceof CelBudgetError) {
      if (cause.limit === 'budget') {
        this.#end(path, value);
        return;
      }
      this.#isOver = true;
      const detail = `'${why}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`;
      this.errors.push(ruleError(path, value, detail));
      return;
    }
    const detail = why.startsWith('no such overload')
      ? `'${why}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`
      : `${why} evaluating rule: ${text}`;
    this.errors.push(ruleError(path, value, detail));
  }

  #end(path: SchemaFieldPath, value: unknown): void {
    this.#isOver = true;
    const detail =
      'validation failed due to running out of cost budget, no further validation rules will be run';
    this.errors.push(ruleError(path, value, detail));
  }

  /** What the message expression says; undefined when it says nothing that can be used. */
  #message(
    { message, messageError }: CompiledRule,
    variables: Readonly<Record<string, unknown>>,
  ): string | undefined {
    if (message === undefined || messageError !== undefined) return undefined;
    let result: unknown;
    try {
      result = message.evaluate(variables, this.#budget);
    } catch {
      return undefined;
    }
    const text = typeof result === 'string' ? result.trim() : '';
    const isUsable =
      text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= maxMessageBytes;
    return isUsable ? text : undefined;
  }
}

function once(ask: () => boolean): () => boolean {
  let answer: boolean | undefined;
  return () => (answer ??= ask());
}

function messageOfRule({ rule }: CompiledRule): string {
  const { message } = rule;
  if (message !== undefined && message !== '') return message.trim();
  return `failed rule: ${rule.rule.trim()}`;
}

/** A rule may point at a field below: .spec.size or ['a.b']. */
function fieldPathOf(path: SchemaFieldPath, fieldPath: string | undefined): SchemaFieldPath {
  if (fieldPath === undefined || fieldPath === '') return path;
  return path.child(fieldPath.replace(/^\./, ''));
}
