/**
 * ValidatingAdmissionPolicy and MutatingAdmissionPolicy. policy-source.ts knows which policies
 * concern a kind of request; the evaluators hold their compiled expressions. Start reading at
 * validating-policy.ts.
 */
export { createMutatingPolicyPlugin } from './mutating-policy.ts';
export { createMutationMetrics, createPolicyMetrics } from './policy-metrics.ts';
export { createPolicyHooks } from './policy-validation.ts';
export type { PolicyStatusOptions } from './type-checking/policy-status.ts';
export { keepPolicyStatus } from './type-checking/policy-status.ts';
export type { PolicyPluginOptions } from './validating-policy.ts';
export { createValidatingPolicyPlugin } from './validating-policy.ts';
