import { hasReason } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import {
  controllerOf,
  controllerReference,
  isControlledBy,
  objectKey,
  resources,
  startControllerLoop,
} from '#client/mod.ts';
import type { PersistentVolumeClaim, Pod, Volume } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { isDeleting } from '../pods/pod-state.ts';

function claimFor(pod: Pod, volume: Volume): PersistentVolumeClaim {
  const { metadata, spec } = volume.ephemeral!.volumeClaimTemplate!;
  const { labels, annotations } = metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `${pod.metadata.name}-${volume.name}`,
      namespace: pod.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(pod)],
    },
    spec,
  };
}

/** Keeps a claim for each generic ephemeral volume of a pod, owned by the pod. */
export const startEphemeralVolumeController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const pods = informers.informer<Pod>(resources.pods);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);

  const ensureClaim = async (pod: Pod, volume: Volume): Promise<void> => {
    const wanted = claimFor(pod, volume);
    const { name, namespace } = wanted.metadata;
    const known = claims.get(objectKey(wanted));
    if (known !== undefined) {
      if (isControlledBy(known, pod)) return;
      const text = `PVC ${namespace}/${name} was not created for pod ${objectKey(pod)} (pod is not owner)`;
      throw new K3tsError('ForeignClaim', text);
    }
    try {
      await client.create(resources.persistentVolumeClaims, wanted, { namespace });
    } catch (error) {
      if (hasReason(error, 'AlreadyExists') || isNamespaceTerminating(error)) return;
      throw new K3tsError('ClaimNotMade', `create PVC ${name}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'ephemeral-volume-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([pods.synced(signal), claims.synced(signal)]),
    async reconcile(key) {
      const pod = pods.get(key);
      if (pod === undefined || isDeleting(pod)) return;
      for (const volume of pod.spec?.volumes ?? []) {
        if (volume.ephemeral?.volumeClaimTemplate === undefined) continue;
        try {
          await ensureClaim(pod, volume);
        } catch (error) {
          const text = `ephemeral volume: ${messageOf(error)}`;
          events.event(pod, 'Warning', 'FailedBinding', text);
          throw error;
        }
      }
    },
  });
  pods.addHandler({
    onAdd(pod) {
      const hasAny = pod.spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true;
      if (hasAny && !isDeleting(pod)) loop.queue.add(objectKey(pod));
    },
  });
  claims.addHandler({
    onDelete(claim) {
      const owner = controllerOf(claim);
      if (owner?.kind === 'Pod') loop.queue.add(`${claim.metadata.namespace}/${owner.name}`);
    },
  });
  return loop.done;
};
