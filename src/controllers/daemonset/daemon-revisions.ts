import { hasReason } from '#base/api-status-error.ts';
import { controllerReference, resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { ControllerRevision, DaemonSet, Pod } from '#schema/types.ts';
import {
  byRevision,
  deleteRevision,
  isSameTemplate,
  nextRevisionNumber,
  templatePatch,
  withRevisionNumber,
} from '../history/mod.ts';
import { templateHash } from '../name-hash.ts';
import { claimFrom } from '../pods/claim-from.ts';
import { revisionLabel } from './daemon-pod.ts';

export interface DaemonRevisions {
  /** The revision label of pods of the present template. */
  readonly hash: string;
  readonly old: readonly ControllerRevision[];
}

/** Finds or makes the revision of the set's template, as the newest; doubles of it are removed. */
export async function findDaemonRevisions(
  client: Client,
  set: DaemonSet,
  revisions: Informer<ControllerRevision>,
  pods: readonly Pod[],
): Promise<DaemonRevisions> {
  const all = await claimFrom(revisions, {
    client,
    owner: set,
    ownerResource: resources.daemonSets,
    resource: resources.controllerRevisions,
  });
  const template = set.spec?.template ?? {};
  const sorted = byRevision(all);
  const current = sorted.filter((revision) => isSameTemplate(revision, template));
  const old = sorted.filter((revision) => !current.includes(revision));
  const number = nextRevisionNumber(old);
  const kept = current.at(-1);
  if (kept === undefined) {
    const made = await createRevision(client, set, number);
    return { hash: hashOf(made), old };
  }
  for (const double of current.slice(0, -1)) await removeDouble(client, double, kept, pods);
  if (kept.revision < number) await withRevisionNumber(client, kept, number);
  return { hash: hashOf(kept), old };
}

function hashOf(revision: ControllerRevision): string {
  return revision.metadata.labels?.[revisionLabel] ?? revision.metadata.name;
}

async function createRevision(
  client: Client,
  set: DaemonSet,
  revision: number,
): Promise<ControllerRevision> {
  const template = set.spec?.template ?? {};
  const { collisionCount } = set.status ?? {};
  const hash = templateHash(template, collisionCount);
  const { namespace, annotations } = set.metadata;
  const wanted: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${set.metadata.name}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [revisionLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(set)],
    },
    data: templatePatch(template),
    revision,
  };
  try {
    return await client.create(resources.controllerRevisions, wanted, { namespace });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    const { name } = wanted.metadata;
    const taken = await client.get<ControllerRevision>(resources.controllerRevisions, name, {
      namespace,
    });
    if (isSameTemplate(taken, template)) return taken;
    await raiseCollisionCount(client, set);
    throw error;
  }
}

/** Another template has this name: the next sync hashes with a higher count. */
async function raiseCollisionCount(client: Client, set: DaemonSet): Promise<void> {
  const { name, namespace } = set.metadata;
  const live = await client.get<DaemonSet>(resources.daemonSets, name, { namespace });
  const collisionCount = (live.status?.collisionCount ?? 0) + 1;
  const status = { ...live.status!, collisionCount };
  const options = { namespace, subresource: 'status' };
  await client.update<DaemonSet>(resources.daemonSets, { ...live, status }, options);
}

/** Pods of the removed double count as pods of the kept one. */
async function removeDouble(
  client: Client,
  double: ControllerRevision,
  kept: ControllerRevision,
  pods: readonly Pod[],
): Promise<void> {
  const hash = hashOf(kept);
  for (const pod of pods) {
    if (pod.metadata.labels?.[revisionLabel] !== hashOf(double)) continue;
    const { name, namespace } = pod.metadata;
    const body = { metadata: { labels: { [revisionLabel]: hash } } };
    await client.patch(resources.pods, name, { type: 'merge', body }, { namespace });
  }
  await deleteRevision(client, double);
}

/** Deletes the oldest revisions that no pod has, beyond revisionHistoryLimit. */
export async function trimDaemonRevisions(
  client: Client,
  set: DaemonSet,
  old: readonly ControllerRevision[],
  pods: readonly Pod[],
): Promise<void> {
  let excess = old.length - (set.spec?.revisionHistoryLimit ?? 10);
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[revisionLabel]));
  for (const revision of old) {
    if (excess <= 0) return;
    if (live.has(hashOf(revision))) continue;
    await deleteRevision(client, revision);
    excess -= 1;
  }
}
