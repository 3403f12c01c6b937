import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { controllerReference, isControlledBy, resources } from '#client/mod.ts';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { templateHash } from '../name-hash.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { newSetAnnotations, revisionAnnotation, revisionOf, withSizes } from './annotations.ts';
import { conditionOf, newCondition, reasons, withCondition } from './conditions.ts';
import { replaceSet, writeRevision, writeStatus } from './deployment-scope.ts';
import type { DeploymentScope } from './deployment-scope.ts';
import { newSetSize } from './rolling-plan.ts';
import { maxSurge, progressDeadlineMs, wantedReplicas } from './rollout-limits.ts';
import { hashLabel } from './template-match.ts';

/**
 * The set of the Deployment's template, with revision and annotations brought up to date, and made
 * when it is missing and `canCreate`. An older set whose template is wanted again (a rollback)
 * becomes the newest revision.
 */
export async function findNewSet(
  scope: DeploymentScope,
  canCreate: boolean,
): Promise<ReplicaSet | undefined> {
  const existing = scope.templates.newSetOf(scope.deployment, scope.sets);
  const others = scope.sets.filter((set) => set !== existing);
  const revision = Math.max(0, ...others.map(revisionOf)) + 1;
  if (existing !== undefined) return await refresh(scope, existing, revision);
  return canCreate ? await create(scope, revision) : undefined;
}

async function refresh(
  scope: DeploymentScope,
  set: ReplicaSet,
  revision: number,
): Promise<ReplicaSet> {
  const { client, deployment, clock } = scope;
  const old = set.metadata.annotations ?? {};
  const annotations = newSetAnnotations(deployment, old, revision);
  const minReadySeconds = deployment.spec?.minReadySeconds;
  let current = set;
  if (
    !isSameJson(old, annotations) ||
    (set.spec?.minReadySeconds ?? 0) !== (minReadySeconds ?? 0)
  ) {
    const next: ReplicaSet = {
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec!, minReadySeconds },
    };
    const { namespace } = set.metadata;
    current = await client.update<ReplicaSet>(resources.replicaSets, next, { namespace });
    replaceSet(scope, current);
  }
  await writeRevision(scope, current.metadata.annotations?.[revisionAnnotation]);
  const hasProgress = conditionOf(deployment.status?.conditions, 'Progressing') !== undefined;
  if (!hasProgress && progressDeadlineMs(deployment) !== undefined) {
    const text = `Found new replica set "${set.metadata.name}"`;
    await writeProgress(scope, 'True', reasons.setFound, text, clock.now());
  }
  return current;
}

async function writeProgress(
  scope: DeploymentScope,
  state: string,
  reason: string,
  message: string,
  nowMs: number,
): Promise<void> {
  const { status = {} } = scope.deployment;
  const condition = newCondition('Progressing', state, reason, message, nowMs);
  const conditions = withCondition(status.conditions ?? [], condition);
  await writeStatus(scope, { ...status, conditions: [...conditions] });
}

async function create(scope: DeploymentScope, revision: number): Promise<ReplicaSet> {
  const { client, deployment, clock, events } = scope;
  const wanted = newReplicaSet(deployment, scope.sets, revision);
  const { namespace } = deployment.metadata;
  let set: ReplicaSet;
  let isNew = true;
  try {
    set = await client.create<ReplicaSet>(resources.replicaSets, wanted, { namespace });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) {
      await reportFailure(scope, wanted.metadata.name, error);
      throw error;
    }
    set = await existingOrCollision(scope, wanted, error);
    isNew = false;
  }
  scope.sets = [...scope.sets.filter((other) => other.metadata.uid !== set.metadata.uid), set];
  const size = set.spec?.replicas ?? 0;
  if (isNew && size > 0) {
    const text = `Scaled up replica set ${set.metadata.name} from 0 to ${size}`;
    events.event(deployment, 'Normal', 'ScalingReplicaSet', text);
  }
  await writeRevision(scope, String(revision));
  if (isNew && progressDeadlineMs(deployment) !== undefined) {
    const text = `Created new replica set "${set.metadata.name}"`;
    await writeProgress(scope, 'True', reasons.setCreated, text, clock.now());
  }
  return set;
}

/**
 * The name is taken: by our own set that the informer does not show yet, which is as good as made,
 * or by another template of the same hash. Then the next try gets another hash.
 */
async function existingOrCollision(
  scope: DeploymentScope,
  wanted: ReplicaSet,
  error: unknown,
): Promise<ReplicaSet> {
  const { client, deployment, templates } = scope;
  const { name, namespace } = wanted.metadata;
  const taken = await client.get<ReplicaSet>(resources.replicaSets, name, { namespace });
  const isOurs =
    isControlledBy(taken, deployment) &&
    templates.isSame(taken.spec?.template ?? {}, deployment.spec?.template ?? {});
  if (isOurs) return taken;
  const { status = {} } = deployment;
  await writeStatus(scope, { ...status, collisionCount: (status.collisionCount ?? 0) + 1 });
  throw error;
}

async function reportFailure(scope: DeploymentScope, name: string, error: unknown): Promise<void> {
  if (isNamespaceTerminating(error)) return;
  const { deployment, clock, events } = scope;
  const text = `Failed to create new replica set "${name}": ${messageOf(error)}`;
  events.event(deployment, 'Warning', reasons.setFailed, text);
  if (progressDeadlineMs(deployment) === undefined) return;
  await writeProgress(scope, 'False', reasons.setFailed, text, clock.now());
}

function newReplicaSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  revision: number,
): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec!;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const wanted = wantedReplicas(deployment);
  const annotations = newSetAnnotations(deployment, {}, revision);
  const hashed: PodTemplateSpec = { ...template, metadata: { ...template.metadata, labels } };
  const spec = {
    replicas: 0,
    minReadySeconds,
    selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
    template: hashed,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: withSizes(annotations, wanted, wanted + maxSurge(deployment)),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: { ...spec, replicas: newSetSize(deployment, sets, { spec }) },
  };
}
