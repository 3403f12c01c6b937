import { formatTime } from '#base/clock.ts';
import type { V2HorizontalPodAutoscalerCondition as Condition } from '#schema/types.ts';

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';

/** What is said of a condition: status, reason, message. */
export type Saying = readonly [status: 'True' | 'False', reason: string, message: string];

/** The conditions with one of them set; new ones go to the end, times move with the status. */
export function withCondition(
  conditions: readonly Condition[],
  type: ConditionType,
  [status, reason, message]: Saying,
  nowMs: number,
): Condition[] {
  const before = conditions.find((one) => one.type === type);
  const isSame = before?.status === status;
  const lastTransitionTime = isSame ? before.lastTransitionTime : formatTime(nowMs);
  const next: Condition = { type, status, lastTransitionTime, reason, message };
  if (before === undefined) return [...conditions, next];
  return conditions.map((one) => (one === before ? next : one));
}

export const gotScale: Saying = [
  'True',
  'SucceededGetScale',
  "the HPA controller was able to get the target's current scale",
];
export const scalingDisabled: Saying = [
  'False',
  'ScalingDisabled',
  'scaling is disabled since the replica count of the target is zero',
];
export const readyForNewScale: Saying = [
  'True',
  'ReadyForNewScale',
  'recommended size matches current size',
];
export const scaleDownStabilized: Saying = [
  'True',
  'ScaleDownStabilized',
  'recent recommendations were higher than current one, applying the highest recent recommendation',
];
export const scaleUpStabilized: Saying = [
  'True',
  'ScaleUpStabilized',
  'recent recommendations were lower than current one, applying the lowest recent recommendation',
];

/** Reason and message of ScalingLimited. */
export type Limit = readonly [reason: string, message: string];

export const withinRange: Limit = [
  'DesiredWithinRange',
  'the desired count is within the acceptable range',
];
export const tooFew: Limit = [
  'TooFewReplicas',
  'the desired replica count is less than the minimum replica count',
];
export const tooMany: Limit = [
  'TooManyReplicas',
  'the desired replica count is more than the maximum replica count',
];
export const scaleUpLimit: Limit = [
  'ScaleUpLimit',
  'the desired replica count is increasing faster than the maximum scale rate',
];
export const scaleDownLimit: Limit = [
  'ScaleDownLimit',
  'the desired replica count is decreasing faster than the maximum scale rate',
];
