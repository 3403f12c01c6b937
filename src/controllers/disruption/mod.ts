/**
 * Says how many pods of a PodDisruptionBudget may be ended now, for the eviction API to spend. It
 * ends none itself. Start reading at disruption-controller.ts, then budget-status.ts.
 */
export { startDisruptionController } from './disruption-controller.ts';
