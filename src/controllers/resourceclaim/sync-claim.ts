import { hasReason } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import { controllerOf, resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type {
  Pod,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim as ResourceClaim,
} from '#schema/types.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { claimFinalizer, isPodDone } from './claim-facts.ts';

export interface ClaimSync {
  readonly client: Client;
  readonly pods: Informer<Pod>;
}

/**
 * Takes reservations of pods that are over out of a claim. When the last one goes, the claim's
 * devices are free again; a claim that was made for a pod which is over goes itself.
 */
export async function syncClaim(sync: ClaimSync, claim: ResourceClaim): Promise<void> {
  const { client, pods } = sync;
  const { reservedFor = [] } = claim.status ?? {};
  const kept: ResourceClaimConsumerReference[] = [];
  for (const reference of reservedFor) {
    if ((reference.apiGroup ?? '') !== '' || reference.resource !== 'pods') {
      const text = `unsupported ReservedFor entry: ${JSON.stringify(reference)}`;
      throw new K3tsError('UnknownConsumer', text);
    }
    if (await isStillReserved(sync, claim, reference)) kept.push(reference);
  }
  const isProtected = claim.metadata.finalizers?.includes(claimFinalizer) === true;
  if (kept.length < reservedFor.length) {
    const written = await free(client, claim, kept, isProtected);
    if (written.status?.allocation === undefined) await unprotect(client, written);
  } else if (isProtected && isDeleting(claim) && kept.length === 0) {
    const isAllocated = claim.status?.allocation !== undefined;
    await unprotect(client, isAllocated ? await free(client, claim, [], true) : claim);
  }
  if (kept.length > 0 || isDeleting(claim)) return;
  const owner = controllerOf(claim);
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1') return;
  const { namespace, name, uid } = claim.metadata;
  const pod = pods.get(`${namespace}/${owner.name}`);
  // A pod that is not known may only not be known yet; one that is gone takes its claims along.
  if (pod === undefined || (pod.metadata.uid === owner.uid && !isPodDone(pod))) return;
  const options = { namespace, preconditions: { uid } };
  await ignoreGone(client.delete(resources.resourceClaims, name, options));
}

/** A pod that is not in the informer may be new: only the server says that it is gone. */
async function isStillReserved(
  { client, pods }: ClaimSync,
  claim: ResourceClaim,
  { name, uid }: ResourceClaimConsumerReference,
): Promise<boolean> {
  const { namespace } = claim.metadata;
  const known = pods.get(`${namespace}/${name}`);
  if (known !== undefined) return known.metadata.uid === uid && !isPodDone(known);
  try {
    const live = await client.get<Pod>(resources.pods, name, { namespace });
    return live.metadata.uid === uid;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}

/** Without the last reservation devices that the scheduler allocated are given back. */
async function free(
  client: Client,
  claim: ResourceClaim,
  reservedFor: ResourceClaimConsumerReference[],
  isProtected: boolean,
): Promise<ResourceClaim> {
  const { namespace } = claim.metadata;
  const isOver = reservedFor.length === 0 && isProtected;
  const status = {
    ...claim.status,
    reservedFor: reservedFor.length === 0 ? undefined : reservedFor,
    ...(isOver ? { allocation: undefined, devices: undefined } : {}),
  };
  const options = { namespace, subresource: 'status' };
  return await client.update<ResourceClaim>(
    resources.resourceClaims,
    { ...claim, status },
    options,
  );
}

async function unprotect(client: Client, claim: ResourceClaim): Promise<void> {
  const { namespace, finalizers = [] } = claim.metadata;
  if (!finalizers.includes(claimFinalizer)) return;
  const left = finalizers.filter((finalizer) => finalizer !== claimFinalizer);
  const next = { ...claim, metadata: { ...claim.metadata, finalizers: left } };
  await ignoreGone(client.update<ResourceClaim>(resources.resourceClaims, next, { namespace }));
}

async function ignoreGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
