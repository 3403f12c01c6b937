import { objectKey, resources } from '#client/mod.ts';
import type { Expectations, Informer, ReconcileResult } from '#client/mod.ts';
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '#schema/types.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimFrom } from '../pods/claim-from.ts';
import { controlledBy } from '../pods/owned-objects.ts';
import { createPodControl } from '../pods/pod-control.ts';
import { isDeleting, nextAvailableMs } from '../pods/pod-state.ts';
import { changePods } from './change-pods.ts';
import { findDaemonRevisions, trimDaemonRevisions } from './daemon-revisions.ts';
import { daemonSetStatus } from './daemon-set-status.ts';
import { createFailedPodsBackOff } from './failed-pods-back-off.ts';
import { createNodeFit } from './node-fit.ts';
import { groupByNode, placePods, updateStep } from './placement.ts';
import type { PlacementInput } from './placement.ts';

const everything = 'This daemon set is selecting all pods. A non-empty selector is required.';

export interface DaemonSources {
  readonly sets: Informer<DaemonSet>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly revisions: Informer<ControllerRevision>;
  readonly expectations: Expectations;
}

/** The reconcile of the controller: places pods, takes a step of an update, writes the status. */
export function createDaemonSync(
  context: ControllerContext,
  sources: DaemonSources,
): (key: string) => Promise<ReconcileResult | void> {
  const { client, clock, events } = context;
  const { sets, pods, nodes, revisions, expectations } = sources;
  const control = createPodControl(client, events);
  const backOff = createFailedPodsBackOff(clock);

  const writeStatus = async (set: DaemonSet, status: DaemonSetStatus): Promise<void> => {
    if (isSameJson(set.status, status)) return;
    const options = { namespace: set.metadata.namespace, subresource: 'status' };
    await client.update<DaemonSet>(resources.daemonSets, { ...set, status }, options);
  };

  const sync = async (set: DaemonSet): Promise<ReconcileResult | void> => {
    const key = objectKey(set);
    const claimed = await claimFrom(pods, {
      client,
      owner: set,
      ownerResource: resources.daemonSets,
      resource: resources.pods,
    });
    const { hash, old } = await findDaemonRevisions(client, set, revisions, claimed);
    const isSettled = expectations.satisfied(key);
    let waitMs = Number.POSITIVE_INFINITY;
    const mayRemoveEnded = (pod: Pod, nodeName: string): boolean => {
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (pod.status?.phase === 'Succeeded') {
        const text = `Found succeeded daemon pod ${name} on node ${nodeName}, will try to delete it`;
        events.event(set, 'Normal', 'SucceededDaemonPod', text);
        return true;
      }
      const id = `${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${nodeName}`;
      const leftMs = backOff.next(id);
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs);
        return false;
      }
      const text = `Found failed daemon pod ${name} on node ${nodeName}, will try to kill it`;
      events.event(set, 'Warning', 'FailedDaemonPod', text);
      return true;
    };
    const input: PlacementInput = {
      set,
      nodes: nodes.list(),
      fitOf: createNodeFit(set),
      podsByNode: groupByNode(claimed),
      hash,
      nowMs: clock.now(),
      mayRemoveEnded,
    };
    let failure: unknown;
    if (isSettled) {
      const change = { set, hash, control, expectations, known: pods };
      try {
        await changePods({ ...change, placement: placePods(input) });
        const isRolling = set.spec?.updateStrategy?.type !== 'OnDelete';
        if (isRolling && expectations.satisfied(key)) {
          await changePods({ ...change, placement: updateStep(input) });
        }
        await trimDaemonRevisions(client, set, old, claimed);
      } catch (error) {
        failure = error;
      }
    }
    const podsByNode = groupByNode(controlledBy(pods, set.metadata.uid ?? ''));
    const status = daemonSetStatus({ ...input, podsByNode, isObserved: isSettled });
    await writeStatus(set, status);
    if (failure !== undefined) throw failure as Error;
    const { minReadySeconds = 0 } = set.spec ?? {};
    if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0)) {
      const nextMs = nextAvailableMs([...podsByNode.values()].flat(), minReadySeconds, input.nowMs);
      waitMs = Math.min(waitMs, nextMs ?? minReadySeconds * 1000);
    }
    return Number.isFinite(waitMs) ? { requeueAfterMs: waitMs } : undefined;
  };

  return async (key) => {
    const set = sets.get(key);
    if (set === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const { matchLabels = {}, matchExpressions = [] } = set.spec?.selector ?? {};
    if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
      events.event(set, 'Warning', 'SelectingAll', everything);
      return undefined;
    }
    // Its revisions may be gone already, so nothing true can be said about it.
    if (isDeleting(set)) return undefined;
    try {
      return await sync(set);
    } catch (error) {
      if (isObjectGone(error, set)) return undefined;
      throw error;
    }
  };
}
