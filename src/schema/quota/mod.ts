/**
 * What objects count for in ResourceQuotas: shared by admission, which books it, and the
 * controller, which adds it up. It decides and writes nothing. Start reading at quota-usage.ts.
 */
export { addAmounts, amountsOf, podAmounts, podAmountsHeld } from './resource-amounts.ts';
export type { Amounts } from './resource-amounts.ts';
export { countName, isTerminal, missingAmounts, usageOf } from './quota-usage.ts';
export { matchesScope, matchesScopes, scopesOf } from './quota-scopes.ts';
