import { resources } from '#client/mod.ts';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '#schema/types.ts';
import { isOwnAnnotation, revisionOf, rollbackAnnotation } from './annotations.ts';
import type { DeploymentScope } from './deployment-scope.ts';
import { findNewSet } from './new-replica-set.ts';
import { hashLabel } from './template-match.ts';

/** The revision that somebody asks to go back to by the annotation of old clients; 0: the last. */
export function wantedRollback({ metadata }: Deployment): number | undefined {
  const text = metadata.annotations?.[rollbackAnnotation];
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** Brings the template of a former revision back, and takes the wish away whatever came of it. */
export async function rollBack(scope: DeploymentScope, wanted: number): Promise<void> {
  await findNewSet(scope, true);
  const { deployment, events, templates } = scope;
  const warn = (reason: string, text: string): void =>
    events.event(deployment, 'Warning', reason, text);
  const revision = wanted === 0 ? lastRevision(scope.sets) : wanted;
  const set = scope.sets.find((one) => revision > 0 && revisionOf(one) === revision);
  const { [rollbackAnnotation]: _wish, ...annotations } = deployment.metadata.annotations ?? {};
  const cleared: Deployment = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  if (set === undefined) {
    const text =
      revision === 0
        ? 'Unable to find last revision.'
        : 'Unable to find the revision to rollback to.';
    warn('DeploymentRollbackRevisionNotFound', text);
    await write(scope, cleared);
    return;
  }
  const { name } = deployment.metadata;
  if (templates.isSame(set.spec?.template ?? {}, deployment.spec?.template ?? {})) {
    const text = `The rollback revision contains the same template as current deployment "${name}"`;
    warn('DeploymentRollbackTemplateUnchanged', text);
    await write(scope, cleared);
    return;
  }
  await write(scope, {
    ...cleared,
    metadata: { ...cleared.metadata, annotations: annotationsAfter(annotations, set) },
    spec: { ...cleared.spec!, template: withoutHash(set.spec?.template ?? {}) },
  });
  const text = `Rolled back deployment "${name}" to revision ${revision}`;
  events.event(deployment, 'Normal', 'DeploymentRollback', text);
}

/** The second newest revision; 0 when there is only one. */
function lastRevision(sets: readonly ReplicaSet[]): number {
  const revisions = sets.map(revisionOf).toSorted((a, b) => b - a);
  return revisions[1] ?? 0;
}

/** What is the Deployment's own stays, the rest is what the set remembers of it. */
function annotationsAfter(
  annotations: Readonly<Record<string, string>>,
  set: ReplicaSet,
): Record<string, string> {
  const own = Object.entries(annotations).filter(([key]) => isOwnAnnotation(key));
  const former = Object.entries(set.metadata.annotations ?? {}).filter(
    ([key]) => !isOwnAnnotation(key),
  );
  return Object.fromEntries([...own, ...former]);
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

async function write(scope: DeploymentScope, deployment: Deployment): Promise<void> {
  const { namespace, resourceVersion: _seen, ...metadata } = deployment.metadata;
  const { resourceVersion } = scope.deployment.metadata;
  const next = { ...deployment, metadata: { ...metadata, namespace, resourceVersion } };
  scope.deployment = await scope.client.update<Deployment>(resources.deployments, next, {
    namespace,
  });
}
