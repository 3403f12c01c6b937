/** Limits of Kubernetes on expressions (k8s.io/apiserver/pkg/apis/cel). */

/** Actual cost one evaluation of one expression may have. */
export const perCallLimit = 1_000_000;
/** Actual cost all rules of one validated object may have together. */
export const runtimeCostBudget = 10_000_000;
/** Actual cost of the matchConditions of one request. */
export const runtimeCostBudgetMatchConditions = 2_500_000;
/** Longest request body, the bound of anything of unknown size. */
export const maxRequestSizeBytes = 3 * 1024 * 1024;
