import type {
  V2HorizontalPodAutoscalerBehavior as Behavior,
  V2HPAScalingRules as Rules,
} from '#schema/types.ts';
import { defaultAutoscalingRules } from './autoscaling-rules.ts';
import {
  readyForNewScale,
  scaleDownLimit,
  scaleDownStabilized,
  scaleUpLimit,
  scaleUpStabilized,
  tooFew,
  tooMany,
  withinRange,
} from './hpa-conditions.ts';
import type { Limit, Saying } from './hpa-conditions.ts';
import type { ScaleHistory } from './scale-history.ts';

/** What is to be, and what is said of it. */
export interface LimitedSize {
  readonly replicas: number;
  readonly ableToScale: Saying;
  readonly scalingLimited: Saying;
}

export interface Sizes {
  readonly current: number;
  /** What the metrics ask for. */
  readonly wanted: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Brings what metrics ask for into the autoscaler's bounds, its pace and its steadiness.
 * `downWindowSeconds` is for autoscalers that say nothing of when to shrink.
 */
export function limitSize(
  sizes: Sizes,
  behavior: Behavior | undefined,
  history: ScaleHistory,
  nowMs: number,
  downWindowSeconds = defaultAutoscalingRules.downWindowMs / 1000,
): LimitedSize {
  if (behavior === undefined) return limitPlainly(sizes, history, nowMs, downWindowSeconds);
  const up = rulesOf(behavior.scaleUp, defaultUp);
  const down = rulesOf(behavior.scaleDown, {
    ...defaultDown,
    stabilizationWindowSeconds: downWindowSeconds,
  });
  const { current, wanted } = sizes;
  const isUp = wanted >= current;
  const upMs = up.stabilizationWindowSeconds * 1000;
  const downMs = down.stabilizationWindowSeconds * 1000;
  // What there is stays between the least of the one window and the most of the other.
  const least = Math.min(wanted, ...history.recent(upMs, nowMs));
  const most = Math.max(wanted, ...history.recent(downMs, nowMs));
  const steady = Math.min(Math.max(current, least), most);
  history.recommend(wanted, Math.max(upMs, downMs), nowMs);
  const stabilized = isUp ? scaleUpStabilized : scaleDownStabilized;
  const [replicas, limit] = withPace({ ...sizes, wanted: steady }, { up, down }, history, nowMs);
  return {
    replicas,
    ableToScale: steady === wanted ? readyForNewScale : stabilized,
    scalingLimited: [replicas === steady ? 'False' : 'True', ...limit],
  };
}

/** Without a behavior: at most doubled (or four), lowered to the highest of the window. */
function limitPlainly(
  sizes: Sizes,
  history: ScaleHistory,
  nowMs: number,
  downWindowSeconds: number,
): LimitedSize {
  const { current, wanted, min, max } = sizes;
  const windowMs = downWindowSeconds * 1000;
  const steady = Math.max(wanted, ...history.recent(windowMs, nowMs));
  history.recommend(wanted, windowMs, nowMs);
  const pace = Math.max(2 * current, 4);
  const [most, limit] = max > pace ? [pace, scaleUpLimit] : [max, tooMany];
  const result: readonly [number, Limit] =
    steady < min ? [min, tooFew] : steady > most ? [most, limit] : [steady, withinRange];
  return {
    replicas: result[0],
    ableToScale: steady === wanted ? readyForNewScale : scaleDownStabilized,
    scalingLimited: [result[0] === steady ? 'False' : 'True', ...result[1]],
  };
}

type WholeRules = Required<Pick<Rules, 'policies' | 'selectPolicy'>> & {
  stabilizationWindowSeconds: number;
  policies: NonNullable<Rules['policies']>;
};

const defaultUp: WholeRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: Omit<WholeRules, 'stabilizationWindowSeconds'> = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** The API server has filled most of it in; objects stored before may lack it. */
function rulesOf(rules: Rules | undefined, defaults: WholeRules): WholeRules {
  return {
    stabilizationWindowSeconds:
      rules?.stabilizationWindowSeconds ?? defaults.stabilizationWindowSeconds,
    selectPolicy: rules?.selectPolicy ?? defaults.selectPolicy,
    policies: rules?.policies ?? defaults.policies,
  };
}

function withPace(
  { current, wanted, min, max }: Sizes,
  { up, down }: { up: WholeRules; down: WholeRules },
  history: ScaleHistory,
  nowMs: number,
): readonly [number, Limit] {
  if (wanted > current) {
    const pace = Math.max(upLimit(current, up, history, nowMs), current);
    const [most, limit] = max > pace ? [pace, scaleUpLimit] : [max, tooMany];
    if (wanted > most) return [most, limit];
  } else if (wanted < current) {
    const pace = Math.min(downLimit(current, down, history, nowMs), current);
    const [least, limit] = min < pace ? [pace, scaleDownLimit] : [min, tooFew];
    if (wanted < least) return [least, limit];
  }
  return [wanted, withinRange];
}

/** What the policies allow after what was added and removed in their periods. */
function upLimit(current: number, rules: WholeRules, history: ScaleHistory, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const periodMs = periodSeconds * 1000;
    const start = current - history.added(periodMs, nowMs) + history.removed(periodMs, nowMs);
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(0, ...proposals);
}

function downLimit(
  current: number,
  rules: WholeRules,
  history: ScaleHistory,
  nowMs: number,
): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const periodMs = periodSeconds * 1000;
    const start = current - history.added(periodMs, nowMs) + history.removed(periodMs, nowMs);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals);
}

/** The longest time that a policy looks back, for what the history must keep. */
export function longestPeriodMs(behavior: Behavior | undefined): number {
  const periods = [behavior?.scaleUp, behavior?.scaleDown].flatMap((rules) =>
    (rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds),
  );
  return Math.max(15, ...periods) * 1000;
}
