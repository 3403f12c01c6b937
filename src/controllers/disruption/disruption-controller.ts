import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import {
  budgetStatus,
  disruptedPods,
  failedStatus,
  needsScale,
  wantedCounts,
} from './budget-status.ts';
import { expectedScale, scaleInformers } from './expected-scale.ts';
import { selectorText } from './selector-text.ts';
import { startStaleDisruptionLoop } from './stale-disruption.ts';

/** Keeps the status of PodDisruptionBudgets: how many of their pods may be ended now. */
export const startDisruptionController: StartController = (context) => {
  const { client, informers, clock, log, signal, events, options } = context;
  const budgets = informers.informer<PodDisruptionBudget>(resources.podDisruptionBudgets);
  const pods = informers.informer<Pod>(resources.pods);
  const scaled = scaleInformers(informers);
  const sources = { ...scaled, client, resources: options.resources };

  const matches = (budget: PodDisruptionBudget, pod: Pod): boolean =>
    budget.spec?.selector !== undefined &&
    labelSelectorFrom(budget.spec.selector).matches(pod.metadata.labels);

  const writeStatus = async (
    budget: PodDisruptionBudget,
    status: PodDisruptionBudgetStatus,
  ): Promise<void> => {
    if (isSameJson(budget.status, status)) return;
    const { namespace } = budget.metadata;
    const next = { ...budget, status };
    const writeOptions = { namespace, subresource: 'status' };
    await client.update(resources.podDisruptionBudgets, next, writeOptions);
  };

  const countScale = async (
    budget: PodDisruptionBudget,
    selected: readonly Pod[],
  ): Promise<number> => {
    if (!needsScale(budget)) return 0;
    try {
      const { scale, unmanaged } = await expectedScale(sources, selected);
      if (unmanaged.length > 0) {
        const text = `Pods selected by this PodDisruptionBudget (selector: ${selectorText(budget.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
        events.event(budget, 'Warning', 'UnmanagedPods', text);
      }
      return scale;
    } catch (error) {
      const text = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
      events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', text);
      throw error;
    }
  };

  const sync = async (budget: PodDisruptionBudget): Promise<ReconcileResult | void> => {
    const { namespace = '', name } = budget.metadata;
    const selected = pods.listNamespace(namespace).filter((pod) => matches(budget, pod));
    if (selected.length === 0) {
      events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    }
    const scale = await countScale(budget, selected);
    const nowMs = clock.now();
    const { awaited, overdue, recheckMs } = disruptedPods(budget, selected, nowMs);
    for (const pod of overdue) {
      const text = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
      events.event(pod, 'Warning', 'NotDeleted', text);
    }
    const counts = wantedCounts(budget, selected.length, scale);
    const status = budgetStatus({ budget, pods: selected, counts, awaited, nowMs });
    await writeStatus(budget, status);
    // One more millisecond, so that the time has surely passed.
    return recheckMs === undefined ? undefined : { requeueAfterMs: recheckMs + 1 };
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'disruption-controller',
    clock,
    log,
    signal,
    ready: Promise.all(
      [budgets, pods, ...Object.values(scaled)].map((informer) => informer.synced(signal)),
    ),
    async reconcile(key) {
      const budget = budgets.get(key);
      if (budget === undefined) return undefined;
      try {
        return await sync(budget);
      } catch (error) {
        if (isObjectGone(error, budget)) return undefined;
        if (hasReason(error, 'Conflict')) throw error;
        await writeStatus(budget, failedStatus(budget, messageOf(error), clock.now()));
        return undefined;
      }
    },
  });
  const stale = startStaleDisruptionLoop(context, pods);
  const { queue } = loop;
  const enqueueFor = (pod: Pod): void => {
    const { namespace = '', name } = pod.metadata;
    const matching = budgets.listNamespace(namespace).filter((budget) => matches(budget, pod));
    for (const budget of matching) queue.add(objectKey(budget));
    const [first, second] = matching;
    if (first === undefined || second === undefined) return;
    const text = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${first.metadata.name}" arbitrarily.`;
    events.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', text);
  };
  budgets.addHandler({
    onAdd: (budget) => queue.add(objectKey(budget)),
    onUpdate: (_old, budget) => queue.add(objectKey(budget)),
  });
  pods.addHandler({
    onAdd(pod) {
      enqueueFor(pod);
      stale.look(objectKey(pod), pod);
    },
    onUpdate(old, pod) {
      enqueueFor(pod);
      if (!isSameJson(old.metadata.labels, pod.metadata.labels)) enqueueFor(old);
      stale.look(objectKey(pod), pod);
    },
    onDelete: enqueueFor,
  });
  return Promise.all([loop.done, stale.done]).then(() => undefined);
};
