import { controllerOf, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Deployment, Pod, ReplicaSet } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { indexByController } from '../pods/owned-objects.ts';
import { createDeploymentSync, recreatingOwner } from './sync-deployment.ts';

/** Rolls Deployments out: makes, scales and removes their replica sets. */
export const startDeploymentController: StartController = (context) => {
  const { informers, clock, log, signal } = context;
  const deployments = informers.informer<Deployment>(resources.deployments);
  const sets = informers.informer<ReplicaSet>(resources.replicaSets);
  const pods = informers.informer<Pod>(resources.pods);
  indexByController(sets);
  indexByController(pods);

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'deployment-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([deployments.synced(signal), sets.synced(signal), pods.synced(signal)]),
    reconcile: createDeploymentSync(context, { deployments, sets, pods }),
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
  const enqueueFor = (set: ReplicaSet): void => {
    if (controllerOf(set) === undefined) enqueueMatching(set);
    else enqueueOwner(set);
  };
  deployments.addHandler({
    onAdd: (deployment) => queue.add(objectKey(deployment)),
    onUpdate: (_old, deployment) => queue.add(objectKey(deployment)),
  });
  sets.addHandler({
    onAdd: enqueueFor,
    onUpdate(old, set) {
      if (!isSameJson(controllerOf(old), controllerOf(set))) enqueueOwner(old);
      enqueueFor(set);
    },
    onDelete: enqueueOwner,
  });
  // Only Recreate waits for pods: it goes on when the last one of the old sets is gone.
  pods.addHandler({
    onDelete(pod) {
      const key = recreatingOwner(pod, { deployments, sets });
      if (key !== undefined) queue.add(key);
    },
  });
  return loop.done;
};
