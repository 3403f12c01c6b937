import { controllerOf, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Deployment, Pod, ReplicaSet } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { claimObjects } from '../pods/claim.ts';
import { claimable, controlledBy, indexByController } from '../pods/owned-objects.ts';
import { isDeleting, isPodFinished } from '../pods/pod-state.ts';
import type { DeploymentScope } from './deployment-scope.ts';
import { writeStatus } from './deployment-scope.ts';
import { progressCheckAfterMs } from './deployment-status.ts';
import { notePause, resize, rollOut, syncStatus } from './rollout.ts';
import { isScaling } from './scale-plan.ts';
import { createTemplateMatcher } from './template-match.ts';

/** Rolls Deployments out: makes, scales and removes their replica sets. */
export const startDeploymentController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const deployments = informers.informer<Deployment>(resources.deployments);
  const sets = informers.informer<ReplicaSet>(resources.replicaSets);
  const pods = informers.informer<Pod>(resources.pods);
  indexByController(sets);
  indexByController(pods);
  const templates = createTemplateMatcher();

  const hasOldPods = (scope: DeploymentScope, newSet: ReplicaSet | undefined): boolean =>
    scope.sets
      .filter((set) => set.metadata.uid !== newSet?.metadata.uid)
      .some(
        (set) =>
          (set.status?.replicas ?? 0) > 0 ||
          controlledBy(pods, set.metadata.uid ?? '').some((pod) => !isPodFinished(pod)),
      );

  const reconcile = async (key: string): Promise<ReconcileResult | void> => {
    const deployment = deployments.get(key);
    if (deployment === undefined) return undefined;
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
    if (deployment.spec?.paused === true || isScaling(deployment, scope.sets)) await resize(scope);
    else await rollOut(scope, (newSet) => hasOldPods(scope, newSet));
    const { status = {} } = scope.deployment;
    const requeueAfterMs = progressCheckAfterMs(scope.deployment, status, clock.now());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  };

  const loop = startControllerLoop({
    name: 'deployment-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([deployments.synced(signal), sets.synced(signal), pods.synced(signal)]),
    reconcile,
  });
  const { queue } = loop;
  const enqueueOwner = (set: ReplicaSet): void => {
    const owner = controllerOf(set);
    if (owner?.kind === 'Deployment') queue.add(`${set.metadata.namespace}/${owner.name}`);
  };
  const enqueueMatching = (set: ReplicaSet): void => {
    for (const deployment of deployments.listNamespace(set.metadata.namespace ?? '')) {
      const selector = labelSelectorFrom(deployment.spec?.selector);
      if (selector.matches(set.metadata.labels)) queue.add(objectKey(deployment));
    }
  };
  deployments.addHandler({
    onAdd: (deployment) => queue.add(objectKey(deployment)),
    onUpdate: (_old, deployment) => queue.add(objectKey(deployment)),
  });
  sets.addHandler({
    onAdd: (set) => (controllerOf(set) === undefined ? enqueueMatching(set) : enqueueOwner(set)),
    onUpdate(old, set) {
      if (!isSameJson(controllerOf(old), controllerOf(set))) enqueueOwner(old);
      if (controllerOf(set) === undefined) enqueueMatching(set);
      else enqueueOwner(set);
    },
    onDelete: enqueueOwner,
  });
  // Only Recreate waits for pods: it goes on when the last one of the old sets is gone.
  pods.addHandler({
    onDelete(pod) {
      const owner = controllerOf(pod);
      const set =
        owner === undefined ? undefined : sets.get(`${pod.metadata.namespace}/${owner.name}`);
      const parent = set === undefined ? undefined : controllerOf(set);
      const key = `${pod.metadata.namespace}/${parent?.name}`;
      if (deployments.get(key)?.spec?.strategy?.type === 'Recreate') queue.add(key);
    },
  });
  return loop.done;
};
