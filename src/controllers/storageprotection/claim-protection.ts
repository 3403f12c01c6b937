import { isControlledBy, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { PersistentVolumeClaim, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { hasFinalizer, setFinalizer } from './finalizer.ts';

const finalizer = 'kubernetes.io/pvc-protection';
const claimIndex = 'claim';

/** Names of the claims that a pod mounts, those made for it included. */
function claimNames({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
  });
}

/**
 * A kubelet may have mounted it; pods that are not bound will not be started with it. As upstream a
 * pod that has ended uses it until it is gone; a claim of its own only until the kubelet is done
 * with the pod, which may wait for that claim itself.
 */
function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if ((pod.spec?.nodeName ?? '') === '') return false;
  return (pod.spec?.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim?.claimName === claim.metadata.name) return true;
    const isOwn = `${pod.metadata.name}-${name}` === claim.metadata.name;
    return ephemeral !== undefined && isOwn && isControlledBy(claim, pod) && !isShutDown(pod);
  });
}

/** Its kubelet is done with it, or it was deleted by force. */
function isShutDown({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}

/** Lets deleted claims go when no pod uses them, and protects claims that are not yet. */
export const startClaimProtection: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const pods = informers.informer<Pod>(resources.pods);
  pods.addIndex(claimIndex, (pod) =>
    claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`),
  );

  const isUsed = async (claim: PersistentVolumeClaim): Promise<boolean> => {
    if (pods.byIndex(claimIndex, objectKey(claim)).some((pod) => uses(pod, claim))) return true;
    // The informer may be behind, and data would be lost: only the server's word counts.
    const { namespace } = claim.metadata;
    const { items } = await client.list<Pod>(resources.pods, { namespace });
    return items.some((pod) => uses(pod, claim));
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolumeclaim-protection-controller',
    clock,
    log,
    signal,
    ready: Promise.all([claims.synced(signal), pods.synced(signal)]),
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined) return;
      const isProtected = hasFinalizer(claim, finalizer);
      if (isDeleting(claim) !== isProtected) return;
      if (isProtected && (await isUsed(claim))) return;
      const resource = resources.persistentVolumeClaims;
      await setFinalizer(client, resource, claim, finalizer, !isProtected);
    },
  });
  const enqueue = (claim: PersistentVolumeClaim): void => {
    if (isDeleting(claim) === hasFinalizer(claim, finalizer)) loop.queue.add(objectKey(claim));
  };
  const enqueueOf = (pod: Pod): void => {
    for (const name of claimNames(pod)) loop.queue.add(`${pod.metadata.namespace}/${name}`);
  };
  claims.addHandler({ onAdd: enqueue, onUpdate: (_old, claim) => enqueue(claim) });
  pods.addHandler({
    onUpdate(_old, pod) {
      if (isShutDown(pod)) enqueueOf(pod);
    },
    onDelete: enqueueOf,
  });
  return loop.done;
};
