import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#schema/types.ts';
import {
  boundByControllerAnnotation,
  isClaimBound,
  isVolumeBoundTo,
  selectedNodeAnnotation,
} from '#schema/volumes/mod.ts';
import { failed } from '../../framework/status.ts';
import type { Status } from '../../framework/status.ts';
import type { StorageLookups } from '../../framework/storage-lookups.ts';
import type { NodeVolumes } from './find-volumes.ts';

/**
 * Writes what was decided - the claim into its volume, the node into claims that are to be
 * provisioned - and waits until the binder and the provisioner have bound all claims.
 */
export async function bindVolumes(options: {
  volumes: NodeVolumes;
  nodeName: string;
  client: Client;
  storage: StorageLookups;
  clock: Clock;
  timeoutMs: number;
}): Promise<Status | undefined> {
  const { volumes, nodeName, client } = options;
  try {
    for (const { claim, volume } of volumes.bindings) await reserveVolume(client, claim, volume);
    for (const claim of volumes.provisionings) await selectNode(client, claim, nodeName);
  } catch (error) {
    return failed(`binding volumes: ${messageOf(error)}`);
  }
  return await waitUntilBound(options);
}

async function reserveVolume(
  client: Client,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): Promise<void> {
  if (isVolumeBoundTo(volume, claim) && volume.spec?.claimRef?.uid === claim.metadata.uid) return;
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const body = {
    metadata: {
      resourceVersion: volume.metadata.resourceVersion,
      annotations: { [boundByControllerAnnotation]: 'yes' },
    },
    spec: {
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name,
        namespace,
        uid,
        resourceVersion,
      },
    },
  };
  await client.patch(resources.persistentVolumes, volume.metadata.name, { type: 'merge', body });
}

async function selectNode(
  client: Client,
  claim: PersistentVolumeClaim,
  nodeName: string,
): Promise<void> {
  if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) return;
  const { name, namespace, resourceVersion } = claim.metadata;
  const body = {
    metadata: { resourceVersion, annotations: { [selectedNodeAnnotation]: nodeName } },
  };
  await client.patch(
    resources.persistentVolumeClaims,
    name,
    { type: 'merge', body },
    { namespace },
  );
}

/** Undefined once all claims are bound; a refusal when one was given up or the time is over. */
function waitUntilBound(options: {
  volumes: NodeVolumes;
  nodeName: string;
  storage: StorageLookups;
  clock: Clock;
  timeoutMs: number;
}): Promise<Status | undefined> {
  const { volumes, nodeName, storage, clock, timeoutMs } = options;
  const toBind = volumes.bindings.map(({ claim }) => claim);
  return new Promise((resolve) => {
    const settle = (status: Status | undefined): void => {
      stop();
      timer.cancel();
      resolve(status);
    };
    const look = (): void => {
      let areAllBound = true;
      for (const claim of [...toBind, ...volumes.provisionings]) {
        const { namespace = '', name, resourceVersion } = claim.metadata;
        const now = storage.claim(namespace, name);
        if (now === undefined) return settle(failed(`binding volumes: claim ${name} is gone`));
        if (isClaimBound(now)) continue;
        areAllBound = false;
        // an informer that lags behind shows the claim as it was before
        const isNews = now.metadata.resourceVersion !== resourceVersion;
        const selected = now.metadata.annotations?.[selectedNodeAnnotation] ?? '';
        if (isNews && volumes.provisionings.includes(claim) && selected !== nodeName) {
          return settle(failed(`binding volumes: provisioning failed for PVC "${name}"`));
        }
      }
      if (areAllBound) settle(undefined);
    };
    const stop = storage.onChange(look);
    const timer = clock.after(timeoutMs, () =>
      settle(failed('binding volumes: context deadline exceeded')),
    );
    look();
  });
}
