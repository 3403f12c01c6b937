import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { ReplicaSet } from '#schema/types.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { conditionOf, newCondition, reasons, withCondition } from './conditions.ts';
import { applySizes, writeStatus } from './deployment-scope.ts';
import type { DeploymentScope } from './deployment-scope.ts';
import { deploymentStatus, isComplete, rolloutStatus } from './deployment-status.ts';
import { findNewSet } from './new-replica-set.ts';
import { newSetSize, oldSetSizes } from './rolling-plan.ts';
import {
  historyLimit,
  isRollingUpdate,
  progressDeadlineMs,
  replicasOf,
  wantedReplicas,
} from './rollout-limits.ts';
import { wantedRollback } from './rollback.ts';
import { scaledSizes } from './scale-plan.ts';
import { activeSets, byRevision } from './set-order.ts';

function without(scope: DeploymentScope, newSet: ReplicaSet | undefined): ReplicaSet[] {
  return scope.sets.filter((set) => set.metadata.uid !== newSet?.metadata.uid);
}

/**
 * One step of the rollout, then the status. `hasOldPods` says whether pods of old sets still run.
 */
export async function rollOut(
  scope: DeploymentScope,
  hasOldPods: (newSet: ReplicaSet | undefined) => boolean,
): Promise<void> {
  const newSet = isRollingUpdate(scope.deployment)
    ? await rollingStep(scope)
    : await recreateStep(scope, hasOldPods);
  const { deployment, clock } = scope;
  const current = scope.sets.find((set) => set.metadata.uid === newSet?.metadata.uid);
  if (isComplete(deployment, deployment.status ?? {})) await removeHistory(scope, current);
  const status = rolloutStatus(deployment, current, scope.sets, clock.now());
  await writeStatus(scope, status);
}

async function rollingStep(scope: DeploymentScope): Promise<ReplicaSet | undefined> {
  const newSet = await findNewSet(scope, true);
  if (newSet === undefined) return undefined;
  const { deployment } = scope;
  if (await setSize(scope, newSet, sizeOfNewSet(scope, newSet))) return newSet;
  await applySizes(scope, oldSetSizes(deployment, newSet, without(scope, newSet)));
  return newSet;
}

/** A set that is larger than wanted shrinks at once; one that is smaller grows as there is room. */
function sizeOfNewSet(scope: DeploymentScope, newSet: ReplicaSet): number {
  const { deployment, sets } = scope;
  const wanted = wantedReplicas(deployment);
  return replicasOf(newSet) >= wanted ? wanted : newSetSize(deployment, sets, newSet);
}

async function recreateStep(
  scope: DeploymentScope,
  hasOldPods: (newSet: ReplicaSet | undefined) => boolean,
): Promise<ReplicaSet | undefined> {
  const known = await findNewSet(scope, false);
  const empty = activeSets(without(scope, known)).map((set) => [set.metadata.name, 0] as const);
  if (await applySizes(scope, new Map(empty))) return known;
  if (hasOldPods(known)) return known;
  const newSet = known ?? (await findNewSet(scope, true));
  if (newSet === undefined) return undefined;
  await setSize(scope, newSet, wantedReplicas(scope.deployment));
  return newSet;
}

/** A set that has its size is left alone, whatever its notes of the Deployment's say. */
async function setSize(scope: DeploymentScope, set: ReplicaSet, size: number): Promise<boolean> {
  if (replicasOf(set) === size) return false;
  return await applySizes(scope, new Map([[set.metadata.name, size]]));
}

/**
 * Follows a change of size, or keeps a paused Deployment as it is; the rollout does not move on.
 */
export async function resize(scope: DeploymentScope): Promise<void> {
  const newSet = await findNewSet(scope, false);
  await applySizes(scope, scaledSizes(scope.deployment, newSet, without(scope, newSet)));
  const { deployment } = scope;
  // A rollback that waits for the end of the pause may want any of the former sets.
  const isRollingBack = wantedRollback(deployment) !== undefined;
  if (deployment.spec?.paused === true && !isRollingBack) await removeHistory(scope, newSet);
  await syncStatus(scope);
}

/** The numbers only. */
export async function syncStatus(scope: DeploymentScope): Promise<void> {
  const { deployment, templates, sets, clock } = scope;
  const newSet = templates.newSetOf(deployment, sets);
  await writeStatus(scope, deploymentStatus(deployment, newSet, sets, clock.now()));
}

/** Says in Progressing that the Deployment was paused or resumed, so that its deadline rests. */
export async function notePause(scope: DeploymentScope): Promise<void> {
  const { deployment, clock } = scope;
  const { status = {} } = deployment;
  const current = conditionOf(status.conditions, 'Progressing');
  const isPaused = deployment.spec?.paused === true;
  const isNoted = current?.reason === reasons.paused;
  if (progressDeadlineMs(deployment) === undefined || current?.reason === reasons.timedOut) return;
  if (isPaused === isNoted) return;
  const reason = isPaused ? reasons.paused : reasons.resumed;
  const text = isPaused ? 'Deployment is paused' : 'Deployment is resumed';
  const condition = newCondition('Progressing', 'Unknown', reason, text, clock.now());
  const conditions = withCondition(status.conditions ?? [], condition);
  await writeStatus(scope, { ...status, conditions: [...conditions] });
}

/** Deletes the oldest empty sets beyond revisionHistoryLimit. */
async function removeHistory(
  scope: DeploymentScope,
  newSet: ReplicaSet | undefined,
): Promise<void> {
  const old = without(scope, newSet).filter((set) => !isDeleting(set));
  const excess = old.length - historyLimit(scope.deployment);
  if (!(excess > 0)) return;
  for (const set of byRevision(old).slice(0, excess)) {
    const isSettled = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
    if ((set.status?.replicas ?? 0) > 0 || replicasOf(set) > 0 || !isSettled) continue;
    const { name, namespace, uid } = set.metadata;
    try {
      const options = { namespace, preconditions: { uid } };
      await scope.client.delete(resources.replicaSets, name, options);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}
