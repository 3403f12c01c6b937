import { isDeepStrictEqual } from 'node:util';
import { formatTime } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { parseQuantity, quantityToNumber } from '#base/quantity.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type {
  Pod,
  V2HorizontalPodAutoscaler as Autoscaler,
  V2HorizontalPodAutoscalerStatus as Status,
} from '#schema/types.ts';
import type { ControllerContext, StartController } from '../context.ts';
import { defaultAutoscalingRules } from './autoscaling-rules.ts';
import { gotScale, scalingDisabled, withCondition } from './hpa-conditions.ts';
import type { ConditionType, Saying } from './hpa-conditions.ts';
import { computeSize } from './metrics-size.ts';
import type { MetricsSize } from './metrics-size.ts';
import { createMetricsClient } from './metrics-client.ts';
import { createScaleHistory } from './scale-history.ts';
import type { ScaleHistory } from './scale-history.ts';
import { readScaleTarget, resourceOfKind } from './scale-target.ts';
import type { ScaleTarget } from './scale-target.ts';
import { limitSize, longestPeriodMs } from './scaling-limits.ts';
import { createSelectorBook } from './selector-book.ts';

export const autoscalers: GroupVersionResource = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};

const workers = 5;

/**
 * Looks at each autoscaler at once when it is new or its spec changes, and every 15 s or what the
 * options say: reads the scale of its target, computes the size that each metric asks for, and
 * applies the largest within bounds and behavior. Conditions, events and texts are upstream's.
 */
export const startHorizontalPodAutoscaler: StartController = async (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const hpas = informers.informer<Autoscaler>(autoscalers);
  const pods = informers.informer<Pod>(resources.pods);
  const metrics = createMetricsClient(client);
  const histories = new Map<string, ScaleHistory>();
  const selectors = createSelectorBook(pods);
  const rules = { ...defaultAutoscalingRules, ...options.autoscaling };
  const toleranceOf = (text: string | undefined): number =>
    text === undefined ? rules.tolerance : quantityToNumber(parseQuantity(text));

  const historyOf = (key: string): ScaleHistory => {
    const history = histories.get(key) ?? createScaleHistory();
    histories.set(key, history);
    return history;
  };
  const forget = (key: string): void => {
    histories.delete(key);
    selectors.forget(key);
  };
  const size = (draft: Draft, target: ScaleTarget): Promise<MetricsSize> => {
    const { hpa, namespace } = draft;
    const { scale } = target;
    const selector = selectors.use(draft.key, namespace, scale.status?.selector ?? '');
    if ('reason' in selector) {
      draft.warn(selector.event, selector.message);
      draft.say('ScalingActive', ['False', selector.reason, selector.condition]);
      throw new K3tsError('InvalidSelector', selector.message);
    }
    const behavior = hpa.spec.behavior;
    return computeSize(hpa.spec.metrics ?? [], {
      client: metrics,
      namespace,
      selector: selector.text,
      pods: selector.pods,
      currentReplicas: scale.spec?.replicas ?? 0,
      statusReplicas: scale.status?.replicas ?? 0,
      tolerances: {
        up: toleranceOf(behavior?.scaleUp?.tolerance),
        down: toleranceOf(behavior?.scaleDown?.tolerance),
      },
      nowMs: clock.now(),
      rules,
      resourceOf(reference) {
        const { resource, group } = resourceOfKind(options.resources(), reference);
        return group === '' ? resource : `${resource}.${group}`;
      },
    });
  };

  const reconcile = async (key: string): Promise<ReconcileResult | void> => {
    const hpa = hpas.get(key);
    if (hpa === undefined) return forget(key);
    const draft = createDraft(context, key, hpa);
    const { reference } = draft;
    let target: ScaleTarget;
    try {
      const { scaleTargetRef } = hpa.spec;
      target = await readScaleTarget(client, options.resources(), draft.namespace, scaleTargetRef);
    } catch (error) {
      const text = messageOf(error);
      draft.warn('FailedGetScale', text);
      draft.say('AbleToScale', ['False', 'FailedGetScale', `${cannotGet}: ${text}`]);
      await draft.write();
      log.debug('cannot read the size of a scale target', { reference, error: text });
      return { requeueAfterMs: rules.syncPeriodMs };
    }
    draft.say('AbleToScale', gotScale);
    await scaleTarget(draft, target);
    return { requeueAfterMs: rules.syncPeriodMs };
  };

  /** Chooses the size and sets it; failures end up in conditions and events. */
  const scaleTarget = async (draft: Draft, target: ScaleTarget): Promise<void> => {
    const { hpa, key } = draft;
    const current = target.scale.spec?.replicas ?? 0;
    const history = historyOf(key);
    history.begin(current, clock.now());
    const { maxReplicas: max, minReplicas: min = 1, behavior } = hpa.spec;
    draft.set({ currentReplicas: current });
    // What was measured before says nothing of a size that is not measured now.
    draft.clearMetrics();
    let desired = current;
    let reason = '';
    if (current === 0 && min !== 0) {
      draft.say('ScalingActive', scalingDisabled);
    } else if (current > max) {
      desired = max;
      reason = 'Current number of replicas above Spec.MaxReplicas';
    } else if (current < min) {
      desired = min;
      reason = 'Current number of replicas below Spec.MinReplicas';
    } else {
      const found = await measure(draft, target);
      if (found === undefined) return;
      if (found.replicas > current) reason = `${found.metric} above target`;
      if (found.replicas < current) reason = 'All metrics below target';
      const sizes = { current, wanted: found.replicas, min, max };
      const limited = limitSize(sizes, behavior, history, clock.now(), rules.downWindowMs / 1000);
      draft.say('AbleToScale', limited.ableToScale);
      draft.say('ScalingLimited', limited.scalingLimited);
      desired = limited.replicas;
    }
    if (desired !== current && !(await resize(draft, target, { desired, reason }))) return;
    if (desired !== current) {
      history.scaled(desired - current, longestPeriodMs(behavior), clock.now());
      draft.set({ lastScaleTime: formatTime(clock.now()) });
    }
    draft.set({ desiredReplicas: desired });
    await draft.write();
  };

  const measure = async (draft: Draft, target: ScaleTarget): Promise<MetricsSize | undefined> => {
    let message: string;
    try {
      const found = await size(draft, target);
      for (const { reason, detail } of found.failures) draft.warn(reason, detail);
      draft.set({ currentMetrics: [...found.statuses] });
      draft.say('ScalingActive', found.scalingActive);
      if (found.isUsable) return found;
      message = found.failure;
    } catch (error) {
      message = messageOf(error);
      draft.set({ currentMetrics: [] });
    }
    await draft.write();
    draft.warn('FailedComputeMetricsReplicas', message);
    return undefined;
  };

  const resize = async (
    draft: Draft,
    target: ScaleTarget,
    { desired, reason }: { desired: number; reason: string },
  ): Promise<boolean> => {
    const text = `New size: ${desired}; reason: ${reason}`;
    try {
      await target.resize(desired);
    } catch (error) {
      const why = messageOf(error);
      draft.warn('FailedRescale', `${text}; error: ${why}`);
      draft.say('AbleToScale', ['False', 'FailedUpdateScale', `${cannotUpdate}: ${why}`]);
      await draft.write();
      return false;
    }
    const message = `the HPA controller was able to update the target scale to ${desired}`;
    draft.say('AbleToScale', ['True', 'SucceededRescale', message]);
    context.events.event(draft.hpa, 'Normal', 'SuccessfulRescale', text);
    return true;
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'horizontalpodautoscaler',
    clock,
    log,
    signal,
    workers,
    ready: Promise.all([hpas.synced(signal), pods.synced(signal)]),
    reconcile,
  });
  hpas.addHandler({
    onAdd: (hpa) => loop.queue.add(objectKey(hpa)),
    onUpdate(old, hpa) {
      if (!isDeepStrictEqual(old.spec, hpa.spec)) loop.queue.add(objectKey(hpa));
    },
    onDelete: (hpa) => loop.queue.add(objectKey(hpa)),
  });
  await loop.done;
};

const cannotGet = "the HPA controller was unable to get the target's current scale";
const cannotUpdate = 'the HPA controller was unable to update the target scale';

/** The status on its way: read from the object, written when it has become another. */
interface Draft {
  readonly hpa: Autoscaler;
  readonly key: string;
  readonly namespace: string;
  /** `Kind/namespace/name` of the target. */
  readonly reference: string;
  say(type: ConditionType, saying: Saying): void;
  set(fields: Partial<Status>): void;
  clearMetrics(): void;
  warn(reason: string, message: string): void;
  write(): Promise<void>;
}

function createDraft(
  { client, clock, events }: ControllerContext,
  key: string,
  hpa: Autoscaler,
): Draft {
  const { namespace = '' } = hpa.metadata;
  const { kind, name } = hpa.spec.scaleTargetRef;
  let status: Status = { desiredReplicas: 0, ...hpa.status };
  const warn = (reason: string, message: string): void =>
    events.event(hpa, 'Warning', reason, message);
  return {
    hpa,
    key,
    namespace,
    reference: `${kind}/${namespace}/${name}`,
    say(type, saying) {
      const conditions = withCondition(status.conditions ?? [], type, saying, clock.now());
      status = { ...status, conditions };
    },
    set(fields) {
      status = { ...status, ...fields };
    },
    clearMetrics() {
      const { currentMetrics: _former, ...others } = status;
      status = others;
    },
    warn,
    async write() {
      if (isDeepStrictEqual(status, hpa.status)) return;
      try {
        await client.update<Autoscaler>(
          autoscalers,
          { ...hpa, status },
          { namespace, subresource: 'status' },
        );
      } catch (error) {
        warn('FailedUpdateStatus', messageOf(error));
        throw error;
      }
    },
  };
}
