import type { AutoscalingRules } from '../context.ts';

/** Upstream's. */
export const defaultAutoscalingRules: AutoscalingRules = {
  syncPeriodMs: 15_000,
  tolerance: 0.1,
  downWindowMs: 300_000,
  cpuInitializationMs: 300_000,
  initialReadinessMs: 30_000,
};
