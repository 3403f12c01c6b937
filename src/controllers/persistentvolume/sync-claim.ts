import { hasReason } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { objectKey, resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import {
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  claimClass,
  findPlainestVolume,
  isVolumeBoundTo,
  podClaims,
  selectedNodeAnnotation,
  volumeMisfit,
} from '#schema/volumes/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '#schema/types.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import type { BinderWrites } from './binder-writes.ts';

const provisionerAnnotations = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
];
const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const noProvisioner = 'kubernetes.io/no-provisioner';

export interface ClaimSync {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly pods: Informer<Pod>;
  readonly writes: BinderWrites;
}

/** Finds or asks for a volume for a claim, or checks the one that it has. */
export async function syncClaim(sync: ClaimSync, claim: PersistentVolumeClaim): Promise<void> {
  if (claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined) {
    await checkBound(sync, claim);
  } else if ((claim.spec?.volumeName ?? '') !== '') await bindWanted(sync, claim);
  else await findVolume(sync, await withDefaultClass(sync, claim));
}

/** A claim was bound once: its volume has to be there, and to be its own. */
async function checkBound(sync: ClaimSync, claim: PersistentVolumeClaim): Promise<void> {
  const { events, volumes, writes } = sync;
  const lose = async (reason: string, message: string): Promise<void> => {
    if (claim.status?.phase === 'Lost') return;
    await writes.setClaimPhase(claim, 'Lost');
    events.event(claim, 'Warning', reason, message);
  };
  const { volumeName = '' } = claim.spec ?? {};
  if (volumeName === '') {
    const text = 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!';
    await lose('ClaimLost', text);
    return;
  }
  const volume = volumes.get(volumeName);
  if (volume === undefined) {
    const text = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!';
    await lose('ClaimLost', text);
  } else if (volume.spec?.claimRef === undefined || isVolumeBoundTo(volume, claim)) {
    await writes.bind(volume, claim);
  } else {
    const text = 'Two claims are bound to the same volume, this one is bound incorrectly';
    await lose('ClaimMisbound', text);
  }
}

/** Somebody named the volume in the claim. */
async function bindWanted(sync: ClaimSync, claim: PersistentVolumeClaim): Promise<void> {
  const { events, volumes, writes } = sync;
  const { volumeName = '' } = claim.spec ?? {};
  const volume = volumes.get(volumeName);
  if (volume === undefined) {
    await writes.setClaimPhase(claim, 'Pending');
    return;
  }
  if (volume.spec?.claimRef !== undefined && !isVolumeBoundTo(volume, claim)) {
    if (claim.metadata.annotations?.[boundByControllerAnnotation] !== undefined) {
      const text = `invalid binding of claim "${objectKey(claim)}" to volume "${volumeName}": volume already claimed by "${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}"`;
      throw new K3tsError('InvalidBinding', text);
    }
    const text = `volume "${volumeName}" already bound to a different claim.`;
    events.event(claim, 'Warning', 'FailedBinding', text);
    await writes.setClaimPhase(claim, 'Pending');
    return;
  }
  const misfit = volume.spec?.claimRef === undefined ? volumeMisfit(volume, claim) : undefined;
  if (misfit !== undefined) {
    const text = `Cannot bind to requested volume "${volumeName}": ${misfit}`;
    events.event(claim, 'Warning', 'VolumeMismatch', text);
    await writes.setClaimPhase(claim, 'Pending');
    return;
  }
  await writes.bind(volume, claim);
}

async function findVolume(sync: ClaimSync, claim: PersistentVolumeClaim): Promise<void> {
  const { events, volumes, classes, writes } = sync;
  const className = claimClass(claim);
  const storageClass = classes.get(className);
  const isNodeChosen = claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined;
  const isDelayed = !isNodeChosen && storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const volume = findPlainestVolume({ claim, volumes: volumes.list(), isDelayed });
  if (volume !== undefined) {
    await writes.bind(volume, claim);
    return;
  }
  if (isDelayed) tellWaiting(sync, claim);
  else if (className !== '') {
    await askProvisioner(sync, claim, className, storageClass);
    return;
  } else {
    const text = 'no persistent volumes available for this claim and no storage class is set';
    events.event(claim, 'Normal', 'FailedBinding', text);
  }
  await writes.setClaimPhase(claim, 'Pending');
}

function tellWaiting({ events, pods }: ClaimSync, claim: PersistentVolumeClaim): void {
  const { namespace = '', name } = claim.metadata;
  const users = pods
    .listNamespace(namespace)
    .filter((pod) => (pod.spec?.nodeName ?? '') === '' && !isPodFinished(pod))
    .filter((pod) => podClaims(pod).some((used) => used.name === name))
    .map((pod) => pod.metadata.name);
  if (users.length === 0) {
    const text = 'waiting for first consumer to be created before binding';
    events.event(claim, 'Normal', 'WaitForFirstConsumer', text);
    return;
  }
  const which = users.length === 1 ? `pod ${users[0]}` : `pods ${users.join(',')}`;
  events.event(claim, 'Normal', 'WaitForPodScheduled', `waiting for ${which} to be scheduled`);
}

/** Names the provisioner in the claim: that is what provisioners wait for. */
async function askProvisioner(
  { client, events, writes }: ClaimSync,
  claim: PersistentVolumeClaim,
  className: string,
  storageClass: StorageClass | undefined,
): Promise<void> {
  const fail = async (text: string): Promise<void> => {
    events.event(claim, 'Warning', 'ProvisioningFailed', text);
    await writes.setClaimPhase(claim, 'Pending');
  };
  if (storageClass === undefined) {
    await fail(`storageclass.storage.k8s.io "${className}" not found`);
    return;
  }
  const { provisioner } = storageClass;
  if (provisioner === noProvisioner) {
    await fail(`no volume plugin matched name: ${noProvisioner}`);
    return;
  }
  const { namespace, annotations } = claim.metadata;
  let current = claim;
  if (provisionerAnnotations.some((key) => annotations?.[key] !== provisioner)) {
    const added = Object.fromEntries(provisionerAnnotations.map((key) => [key, provisioner]));
    const metadata = { ...claim.metadata, annotations: { ...annotations, ...added } };
    const next = { ...claim, metadata };
    current = await client.update(resources.persistentVolumeClaims, next, { namespace });
  }
  const text = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  events.event(claim, 'Normal', 'ExternalProvisioning', text);
  await writes.setClaimPhase(current, 'Pending');
}

/** A claim without any class gets the default one, also when that was marked later. */
async function withDefaultClass(
  { client, classes }: ClaimSync,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> {
  const hasClass =
    claim.spec?.storageClassName !== undefined ||
    claim.metadata.annotations?.[classAnnotation] !== undefined;
  if (hasClass) return claim;
  const [chosen] = classes
    .list()
    .filter(({ metadata }) =>
      defaultClassAnnotations.some((key) => metadata.annotations?.[key] === 'true'),
    )
    .toSorted(compareDefaults);
  if (chosen === undefined) return claim;
  const { namespace } = claim.metadata;
  const next = { ...claim, spec: { ...claim.spec, storageClassName: chosen.metadata.name } };
  try {
    return await client.update(resources.persistentVolumeClaims, next, { namespace });
  } catch (error) {
    if (hasReason(error, 'Conflict') || hasReason(error, 'NotFound')) throw error;
    throw new K3tsError('DefaultClass', `can't assign the default class: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The newest first, then by name. */
function compareDefaults(a: StorageClass, b: StorageClass): number {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (left !== right) return left > right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
