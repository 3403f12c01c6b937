import { hasReason } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { objectKey, resources } from '#client/mod.ts';
import type { Client, EventRecorder, Expectations, Informer } from '#client/mod.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '#schema/types.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import {
  changedOwners,
  claimsOf,
  hasForeignController,
  isStaleFor,
  retentionOf,
} from './claims.ts';
import { withIdentity } from './set-pod.ts';

/** Writes pods of a set and their claims, with upstream's events. */
export interface StatefulPodControl {
  create(set: StatefulSet, pod: Pod): Promise<Pod>;
  delete(set: StatefulSet, pod: Pod): Promise<void>;
  /** Gives a pod the labels of its name, and its claims what they lack. */
  repair(set: StatefulSet, pod: Pod): Promise<void>;
  createMissingClaims(set: StatefulSet, pod: Pod): Promise<void>;
  /** Answers whether any had to be changed. */
  updateClaimOwners(set: StatefulSet, pod: Pod): Promise<boolean>;
  /** Whether a claim of the planned pod still belongs to a former pod and goes away with it. */
  hasStaleClaim(set: StatefulSet, pod: Pod): boolean;
}

export function createStatefulPodControl(options: {
  client: Client;
  events: EventRecorder;
  claims: Informer<PersistentVolumeClaim>;
  expectations: Expectations;
  pods: Informer<Pod>;
}): StatefulPodControl {
  const { client, events, claims, expectations, pods } = options;

  const report = (set: StatefulSet, verb: string, pod: Pod, error?: unknown): void => {
    const reason = `${verb[0]?.toUpperCase()}${verb.slice(1)}`;
    const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    if (error === undefined) {
      events.event(set, 'Normal', `Successful${reason}`, `${what} successful`);
    } else {
      const text = `${what} failed error: ${messageOf(error)}`;
      events.event(set, 'Warning', `Failed${reason}`, text);
    }
  };

  const createClaim = async (
    set: StatefulSet,
    pod: Pod,
    claim: PersistentVolumeClaim,
  ): Promise<void> => {
    const { namespace, name } = claim.metadata;
    const what = `create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    try {
      await client.create(resources.persistentVolumeClaims, claim, { namespace });
      events.event(set, 'Normal', 'SuccessfulCreate', `${what} success`);
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return;
      const text = `${what} failed error: ${messageOf(error)}`;
      events.event(set, 'Warning', 'FailedCreate', text);
      throw error;
    }
  };

  const createMissingClaims = async (set: StatefulSet, pod: Pod): Promise<void> => {
    const problems: string[] = [];
    let cause: unknown;
    for (const claim of claimsOf(set, pod)) {
      const known = claims.get(objectKey(claim));
      const { name } = claim.metadata;
      if (known === undefined) {
        await createClaim(set, pod, claim).catch((error: unknown) => {
          cause ??= error;
          problems.push(`failed to create PVC ${name}: ${messageOf(error)}`);
        });
      } else if (isDeleting(known)) problems.push(`pvc ${name} is being deleted`);
    }
    if (isNamespaceTerminating(cause)) throw cause as Error;
    if (problems.length > 0) {
      const all = problems.join(', ');
      const text = problems.length === 1 ? all : `[${all}]`;
      throw new K3tsError('ClaimsMissing', text, { cause });
    }
    await updateClaimOwners(set, pod);
  };

  const updateClaimOwners = async (set: StatefulSet, pod: Pod): Promise<boolean> => {
    let isChanged = false;
    for (const { metadata } of claimsOf(set, pod)) {
      const claim = claims.get(`${metadata.namespace}/${metadata.name}`);
      if (claim === undefined || isDeleting(claim)) continue;
      if (hasForeignController(claim, set, pod)) {
        const text = `PersistentVolumeClaim ${metadata.name} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`;
        events.event(set, 'Warning', 'ConflictingController', text);
        continue;
      }
      const ownerReferences = changedOwners(claim, set, pod);
      if (ownerReferences === undefined) continue;
      const { resourceVersion } = claim.metadata;
      const body = { metadata: { resourceVersion, ownerReferences } };
      const { namespace, name } = metadata;
      const patch = { type: 'merge', body } as const;
      await client.patch(resources.persistentVolumeClaims, name, patch, { namespace });
      isChanged = true;
    }
    return isChanged;
  };

  return {
    createMissingClaims,
    updateClaimOwners,
    async create(set, pod) {
      const key = objectKey(set);
      const { namespace } = set.metadata;
      try {
        await createMissingClaims(set, pod);
        expectations.expectCreations(key, 1);
        const created = await client
          .create<Pod>(resources.pods, pod, { namespace })
          .catch((error: unknown) => {
            expectations.creationObserved(key);
            throw error;
          });
        report(set, 'create', pod);
        // Claims that go with the pod need its uid, which it has only now.
        await updateClaimOwners(set, created);
        return created;
      } catch (error) {
        const isExpected = hasReason(error, 'AlreadyExists') || hasReason(error, 'Conflict');
        if (!isExpected && !isNamespaceTerminating(error)) report(set, 'create', pod, error);
        throw error;
      }
    },
    async delete(set, pod) {
      const key = objectKey(set);
      const { namespace, name, uid } = pod.metadata;
      expectations.expectDeletions(key, [uid ?? '']);
      try {
        await client.delete(resources.pods, name, { namespace, preconditions: { uid } });
        report(set, 'delete', pod);
        observeDeleted(expectations, key, pods, [pod]);
      } catch (error) {
        expectations.deletionObserved(key, uid ?? '');
        if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
        report(set, 'delete', pod, error);
        throw error;
      }
    },
    async repair(set, pod) {
      const isChanged = await updateClaimOwners(set, pod);
      const next = withIdentity(pod);
      if (next === undefined) {
        // As upstream, for which the claims are part of the pod.
        if (isChanged) report(set, 'update', pod);
        return;
      }
      const { namespace } = pod.metadata;
      try {
        await client.update<Pod>(resources.pods, next, { namespace });
        report(set, 'update', pod);
      } catch (error) {
        if (!hasReason(error, 'Conflict')) report(set, 'update', pod, error);
        throw error;
      }
    },
    hasStaleClaim(set, pod) {
      if (retentionOf(set).whenScaled === 'Retain') return false;
      return claimsOf(set, pod).some((wanted) => {
        const claim = claims.get(objectKey(wanted));
        return claim !== undefined && isStaleFor(claim, pod);
      });
    },
  };
}
