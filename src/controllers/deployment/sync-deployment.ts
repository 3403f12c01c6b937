import { controllerOf, resources } from '#client/mod.ts';
import type { Informer, ReconcileResult } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Deployment, Pod, ReplicaSet } from '#schema/types.ts';
import type { ControllerContext } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimObjects } from '../pods/claim.ts';
import { claimable, controlledBy } from '../pods/owned-objects.ts';
import { isDeleting, isPodFinished } from '../pods/pod-state.ts';
import type { DeploymentScope } from './deployment-scope.ts';
import { writeStatus } from './deployment-scope.ts';
import { rollBack, wantedRollback } from './rollback.ts';
import { progressCheckAfterMs } from './deployment-status.ts';
import { notePause, resize, rollOut, syncStatus } from './rollout.ts';
import { isScaling } from './scale-plan.ts';
import { createTemplateMatcher } from './template-match.ts';

export interface DeploymentInformers {
  readonly deployments: Informer<Deployment>;
  readonly sets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
}

/** The reconcile of the controller: one step of what the Deployment needs now. */
export function createDeploymentSync(
  context: ControllerContext,
  informers: DeploymentInformers,
): (key: string) => Promise<ReconcileResult | void> {
  const { client, clock, events } = context;
  const { deployments, sets, pods } = informers;
  const templates = createTemplateMatcher();

  const hasOldPods = (scope: DeploymentScope, newSet: ReplicaSet | undefined): boolean =>
    scope.sets
      .filter((set) => set.metadata.uid !== newSet?.metadata.uid)
      .some(
        (set) =>
          (set.status?.replicas ?? 0) > 0 ||
          controlledBy(pods, set.metadata.uid ?? '').some((pod) => !isPodFinished(pod)),
      );

  const sync = async (deployment: Deployment): Promise<ReconcileResult | void> => {
    const selector = labelSelectorFrom(deployment.spec?.selector);
    const scope: DeploymentScope = { client, clock, events, templates, deployment, sets: [] };
    if (selector.isEmpty) {
      const text = 'This deployment is selecting all pods. A non-empty selector is required.';
      events.event(deployment, 'Warning', 'SelectingAll', text);
      const observedGeneration = deployment.metadata.generation;
      await writeStatus(scope, { ...deployment.status, observedGeneration });
      return undefined;
    }
    scope.sets = await claimObjects<ReplicaSet>({
      client,
      owner: deployment,
      ownerResource: resources.deployments,
      resource: resources.replicaSets,
      selector,
      candidates: claimable(sets, deployment),
    });
    if (isDeleting(deployment)) {
      await syncStatus(scope);
      return undefined;
    }
    await notePause(scope);
    const rollback = wantedRollback(deployment);
    if (deployment.spec?.paused !== true && rollback !== undefined) {
      await rollBack(scope, rollback);
      return undefined;
    }
    if (deployment.spec?.paused === true || isScaling(deployment, scope.sets)) await resize(scope);
    else await rollOut(scope, (newSet) => hasOldPods(scope, newSet));
    const { status = {} } = scope.deployment;
    const requeueAfterMs = progressCheckAfterMs(scope.deployment, status, clock.now());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  };

  return async (key) => {
    const deployment = deployments.get(key);
    if (deployment === undefined) return undefined;
    try {
      return await sync(deployment);
    } catch (error) {
      if (isObjectGone(error, deployment)) return undefined;
      throw error;
    }
  };
}

/** The Deployment, if any, that controls the pod's set and waits for its pods to go. */
export function recreatingOwner(
  pod: Pod,
  informers: Pick<DeploymentInformers, 'deployments' | 'sets'>,
): string | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return undefined;
  const set = informers.sets.get(`${pod.metadata.namespace}/${owner.name}`);
  const parent = set === undefined ? undefined : controllerOf(set);
  if (parent === undefined) return undefined;
  const key = `${pod.metadata.namespace}/${parent.name}`;
  const isRecreating = informers.deployments.get(key)?.spec?.strategy?.type === 'Recreate';
  return isRecreating ? key : undefined;
}
