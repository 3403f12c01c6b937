/**
 * The rules in CEL of custom resources' schemas: types of values, compilation, checks of objects
 * and of the rules themselves. Start reading at rule-tree.ts, then rule-checker.ts.
 */
export { declaredType } from './cel-type.ts';
export { checkDefinitionRules } from './definition-rules.ts';
export type { RuleChecker } from './rule-checker.ts';
export { checkDefaultByRules, createRuleChecker } from './rule-checker.ts';
