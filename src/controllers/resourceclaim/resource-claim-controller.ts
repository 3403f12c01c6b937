import { K3tsError, messageOf } from '#base/errors.ts';
import { controllerOf, isControlledBy, objectKey, resources } from '#client/mod.ts';
import { startControllerLoop } from '#client/mod.ts';
import type {
  Pod,
  PodResourceClaim,
  PodResourceClaimStatus,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { controlledBy, indexByController } from '../pods/owned-objects.ts';
import { isDeleting } from '../pods/pod-state.ts';
import {
  claimFor,
  claimKeysOf,
  claimNameOf,
  madeBefore,
  needsNoClaim,
  wantsReservation,
} from './claim-facts.ts';
import { syncClaim } from './sync-claim.ts';

const manager = 'ResourceClaimController';
const claimIndex = 'resource-claim';

/** Keeps claims of pods: made of templates, reserved while a pod may run, gone after it. */
export const startResourceClaimController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const pods = informers.informer<Pod>(resources.pods);
  const claims = informers.informer<ResourceClaim>(resources.resourceClaims);
  const templates = informers.informer<ResourceClaimTemplate>(resources.resourceClaimTemplates);
  /** Claims that were made and are not seen yet, by pod and wish: none is made twice. */
  const fresh = new Map<string, string>();
  pods.addIndex(claimIndex, claimKeysOf);
  indexByController(claims);

  /** The name of the claim that was made or found for the wish; undefined when none is missing. */
  const ensureClaim = async (pod: Pod, wanted: PodResourceClaim): Promise<string | undefined> => {
    const { namespace, uid = '' } = pod.metadata;
    const templateName = wanted.resourceClaimTemplateName;
    if (templateName === undefined || needsNoClaim(pod, wanted)) return undefined;
    const known = claims.get(`${namespace}/${claimNameOf(pod, wanted) ?? ''}`);
    if (known !== undefined && isControlledBy(known, pod)) return undefined;
    const before = madeBefore(controlledBy(claims, uid), pod, wanted);
    if (before !== undefined) return before.metadata.name;
    const freshName = fresh.get(`${uid}/${wanted.name}`);
    if (freshName !== undefined) return freshName;
    const template = templates.get(`${namespace}/${templateName}`);
    if (template === undefined) {
      const text = `resource claim template "${templateName}": resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
      throw new K3tsError('NoTemplate', text);
    }
    const object = claimFor(pod, wanted, template);
    try {
      const made = await client.create<ResourceClaim>(resources.resourceClaims, object, {
        namespace,
      });
      fresh.set(`${uid}/${wanted.name}`, made.metadata.name);
      return made.metadata.name;
    } catch (error) {
      const text = `create ResourceClaim : ${messageOf(error)}`;
      throw new K3tsError('ClaimNotMade', text, { cause: error });
    }
  };

  const makeClaims = async (pod: Pod): Promise<readonly PodResourceClaimStatus[]> => {
    const made: PodResourceClaimStatus[] = [];
    for (const wanted of pod.spec?.resourceClaims ?? []) {
      const { name } = wanted;
      try {
        const resourceClaimName = await ensureClaim(pod, wanted);
        if (resourceClaimName !== undefined) made.push({ name, resourceClaimName });
      } catch (error) {
        const text = `PodResourceClaim ${name}: ${messageOf(error)}`;
        events.event(pod, 'Warning', 'FailedResourceClaimCreation', text);
        const where = `pod ${objectKey(pod)}, ${text}`;
        throw new K3tsError('ClaimNotMade', where, { cause: error });
      }
    }
    return made;
  };

  const syncPod = async (pod: Pod): Promise<void> => {
    if (isDeleting(pod)) return;
    const made = await makeClaims(pod);
    const { name, namespace } = pod.metadata;
    if (made.length > 0) {
      const others = (pod.status?.resourceClaimStatuses ?? []).filter(
        (status) => !made.some((one) => one.name === status.name),
      );
      const body = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace },
        status: { resourceClaimStatuses: [...others, ...made] },
      };
      const options = { namespace, subresource: 'status', fieldManager: manager };
      const patch = { type: 'apply', body, force: true } as const;
      await client.patch<Pod>(resources.pods, name, patch, options);
    }
    // Before it has a node, reserving is the scheduler's business.
    if ((pod.spec?.nodeName ?? '') === '') return;
    for (const key of claimKeysOf(pod)) {
      const claim = claims.get(key);
      if (claim === undefined || !wantsReservation(claim, pod)) continue;
      const { uid = '' } = pod.metadata;
      const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: 'pods', name, uid }];
      const next = { ...claim, status: { ...claim.status, reservedFor } };
      const options = { namespace, subresource: 'status' };
      await client.update<ResourceClaim>(resources.resourceClaims, next, options);
    }
  };

  const common = { clock, log, signal, meter: context.queueMeter };
  const ready = Promise.all([pods, claims, templates].map((informer) => informer.synced(signal)));
  const podLoop = startControllerLoop({
    ...common,
    name: 'resourceclaim-controller',
    workers: 10,
    ready,
    async reconcile(key) {
      const pod = pods.get(key);
      if (pod !== undefined) await syncPod(pod);
    },
  });
  const claimLoop = startControllerLoop({
    ...common,
    name: 'resourceclaim-controller-claims',
    workers: 10,
    ready,
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim !== undefined) await syncClaim({ client, pods }, claim);
    },
  });
  const onPod = (pod: Pod): void => {
    if ((pod.spec?.resourceClaims ?? []).length === 0) return;
    podLoop.queue.add(objectKey(pod));
    for (const key of claimKeysOf(pod)) claimLoop.queue.add(key);
  };
  pods.addHandler({
    onAdd: onPod,
    onUpdate: (_old, pod) => onPod(pod),
    onDelete: onPod,
  });
  const onClaim = (claim: ResourceClaim): void => {
    const key = objectKey(claim);
    for (const [wish, name] of fresh) if (name === claim.metadata.name) fresh.delete(wish);
    claimLoop.queue.add(key);
    for (const pod of pods.byIndex(claimIndex, key)) podLoop.queue.add(objectKey(pod));
    const owner = controllerOf(claim);
    if (owner?.kind === 'Pod') podLoop.queue.add(`${claim.metadata.namespace}/${owner.name}`);
  };
  claims.addHandler({
    onAdd: onClaim,
    onUpdate: (_old, claim) => onClaim(claim),
    onDelete: onClaim,
  });
  return Promise.all([podLoop.done, claimLoop.done]).then(() => undefined);
};
