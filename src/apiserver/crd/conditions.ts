import { formatTime } from '#base/clock.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '#schema/types.ts';

export type Condition = CustomResourceDefinitionCondition;
type Conditions = readonly Condition[] | undefined;

export function findCondition(conditions: Conditions, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function hasCondition(definition: CustomResourceDefinition, type: string): boolean {
  return findCondition(definition.status?.conditions, type)?.status === 'True';
}

/**
 * The conditions with one of them set; the time moves only when its status changes. The same list
 * when it already says just that.
 */
export function withCondition(
  conditions: Conditions,
  wanted: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): readonly Condition[] {
  const before = findCondition(conditions, wanted.type);
  const isSame =
    before !== undefined &&
    before.status === wanted.status &&
    before.reason === wanted.reason &&
    before.message === wanted.message;
  if (isSame && conditions !== undefined) return conditions;
  const isFlip = before?.status !== wanted.status;
  const lastTransitionTime = isFlip ? formatTime(nowMs) : before?.lastTransitionTime;
  const condition: Condition = { ...wanted, lastTransitionTime };
  if (before === undefined) return [...(conditions ?? []), condition];
  return (conditions ?? []).map((one) => (one === before ? condition : one));
}

export function withoutCondition(conditions: Conditions, type: string): readonly Condition[] {
  const all = conditions ?? [];
  return all.some((one) => one.type === type) ? all.filter((one) => one.type !== type) : all;
}
