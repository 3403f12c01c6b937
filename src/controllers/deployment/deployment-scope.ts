import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Deployment, DeploymentStatus, ReplicaSet } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { revisionAnnotation, withSizes } from './annotations.ts';
import type { Sizes } from './rolling-plan.ts';
import { maxSurge, replicasOf, wantedReplicas } from './rollout-limits.ts';
import type { TemplateMatcher } from './template-match.ts';

/** What the steps of one sync share. */
export interface DeploymentScope {
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly templates: TemplateMatcher;
  /** The newest version known; replaced after each write of it. */
  deployment: Deployment;
  /** All sets of the Deployment; replaced as they are written. */
  sets: readonly ReplicaSet[];
}

/** Writes the status when it differs; a conflict is the caller's to retry. */
export async function writeStatus(
  scope: DeploymentScope,
  status: DeploymentStatus | undefined,
): Promise<void> {
  const { client, deployment } = scope;
  if (status === undefined || isSameJson(status, deployment.status)) return;
  const options = { namespace: deployment.metadata.namespace, subresource: 'status' };
  const wanted = { ...deployment, status };
  scope.deployment = await client.update<Deployment>(resources.deployments, wanted, options);
}

/** Notes the revision on the Deployment: what `kubectl rollout history` counts from. */
export async function writeRevision(
  scope: DeploymentScope,
  revision: string | undefined,
): Promise<void> {
  const { client, deployment } = scope;
  const { name, namespace, annotations, uid } = deployment.metadata;
  if (revision === undefined || annotations?.[revisionAnnotation] === revision) return;
  const body = { metadata: { uid, annotations: { [revisionAnnotation]: revision } } };
  const patch = { type: 'merge', body } as const;
  // through status, as upstream: a change of annotations would count as a new generation
  const options = { namespace, subresource: 'status' };
  scope.deployment = await client.patch(resources.deployments, name, patch, options);
}

export function replaceSet(scope: DeploymentScope, next: ReplicaSet): void {
  const { name } = next.metadata;
  scope.sets = scope.sets.map((set) => (set.metadata.name === name ? next : set));
}

/** Gives sets their new sizes. True when some pods will come or go by it. */
export async function applySizes(scope: DeploymentScope, sizes: Sizes): Promise<boolean> {
  let isScaled = false;
  for (const set of scope.sets) {
    const size = sizes.get(set.metadata.name);
    if (size !== undefined && (await scaleSet(scope, set, size))) isScaled = true;
  }
  return isScaled;
}

async function scaleSet(scope: DeploymentScope, set: ReplicaSet, size: number): Promise<boolean> {
  const { client, deployment, events } = scope;
  const wanted = wantedReplicas(deployment);
  const old = set.metadata.annotations ?? {};
  const annotations = withSizes(old, wanted, wanted + maxSurge(deployment));
  const before = replicasOf(set);
  if (before === size && isSameJson(old, annotations)) return false;
  const next: ReplicaSet = {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec!, replicas: size },
  };
  const { namespace, name } = set.metadata;
  replaceSet(scope, await client.update<ReplicaSet>(resources.replicaSets, next, { namespace }));
  if (before === size) return false;
  const direction = size > before ? 'up' : 'down';
  const text = `Scaled ${direction} replica set ${name} from ${before} to ${size}`;
  events.event(deployment, 'Normal', 'ScalingReplicaSet', text);
  return true;
}
