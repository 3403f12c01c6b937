/**
 * Keeps the constant defaults, by type and path. Those with a condition or a computed value are
 * code: src/schema/defaults/.
 */
import type { DefaultFact } from './facts.ts';
import { isStableType, readFacts } from './facts.ts';

/** Conditions that say no more than "the field is absent". */
const plainConditions = new Set([undefined, 'value is 0/absent', '0 or absent', 'nil']);

export function generateDefaults(directory: string): Record<string, unknown> {
  const constants: Record<string, Record<string, unknown>> = {};
  for (const fact of (readFacts(directory, 'defaults') as { defaults: DefaultFact[] }).defaults) {
    const isComputed = /"\$(if|fn|copy|unset)"/.test(JSON.stringify(fact.default));
    const isGated = fact.gate !== undefined && /off\)/.test(fact.gate);
    if (isComputed || isGated || !isStableType(fact.type)) continue;
    if (!plainConditions.has(fact.when) || !/^[\w.]+$/.test(fact.field)) continue;
    (constants[fact.type] ??= {})[fact.field] = fact.default;
  }
  return { constants };
}
