import type { Structural } from '#schema/structural/mod.ts';
import type { DeclaredType } from './cel-type.ts';
import { declaredType } from './cel-type.ts';
import type { CompiledRule } from './compile-rule.ts';
import { compileRules } from './compile-rule.ts';

/** The rules of a schema along its shape; nodes without rules at or below them are left out. */
export interface RuleNode {
  readonly schema: Structural;
  readonly minSizeBytes: number;
  readonly rules: readonly CompiledRule[];
  readonly items: RuleNode | undefined;
  readonly additional: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode> | undefined;
}

/** Compiles all rules of a schema, which is that of a whole resource unless told otherwise. */
export function compileRuleTree(schema: Structural, isRoot = true): RuleNode | undefined {
  return nodeOf(schema, isRoot);
}

function nodeOf(schema: Structural, isRoot: boolean): RuleNode | undefined {
  if (!schema.hasRules) return undefined;
  const declared = schema.rules.length > 0 ? declaredType(schema, isRoot) : undefined;
  const properties = new Map<string, RuleNode>();
  for (const [name, property] of schema.properties ?? []) {
    const node = nodeOf(property, property.isEmbedded);
    if (node !== undefined) properties.set(name, node);
  }
  const { items, additional } = schema;
  return {
    schema,
    minSizeBytes: declared?.minSizeBytes ?? 0,
    rules: rulesOf(schema, declared),
    items: items === undefined ? undefined : nodeOf(items, items.isEmbedded),
    additional:
      typeof additional === 'object' ? nodeOf(additional, additional.isEmbedded) : undefined,
    properties: properties.size === 0 ? undefined : properties,
  };
}

/** Values without a declared type cannot be looked into: rules on them are not run. */
function rulesOf(schema: Structural, declared: DeclaredType | undefined): readonly CompiledRule[] {
  return declared === undefined ? [] : compileRules(schema.rules, declared.type);
}
