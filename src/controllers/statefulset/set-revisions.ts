import { controllerReference, resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { ControllerRevision, Pod, StatefulSet } from '#schema/types.ts';
import {
  byRevision,
  createOrFindRevision,
  deleteRevision,
  isSameTemplate,
  nextRevisionNumber,
  templatePatch,
  withRevisionNumber,
} from '../history/mod.ts';
import { encodeHash, fnv1, sortedText } from '../name-hash.ts';
import { claimFrom } from '../pods/claim-from.ts';
import { revisionOf } from './set-facts.ts';

/** Names of revisions are cut so that the hash and its dash still fit. */
const maxPrefixLength = 223;

/** The revision that pods have, the one that they shall get, and all that are kept. */
export interface SetRevisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly all: readonly ControllerRevision[];
  readonly collisionCount: number;
}

/** Finds or makes the revision of the set's template, and numbers it as the newest. */
export async function findRevisions(
  client: Client,
  set: StatefulSet,
  revisions: Informer<ControllerRevision>,
): Promise<SetRevisions> {
  const claimed = await claimFrom(revisions, {
    client,
    owner: set,
    ownerResource: resources.statefulSets,
    resource: resources.controllerRevisions,
  });
  const all = byRevision(claimed);
  const template = set.spec?.template ?? {};
  let collisionCount = set.status?.collisionCount ?? 0;
  const equal = all.findLast((revision) => isSameTemplate(revision, template));
  const number = nextRevisionNumber(all);
  let update: ControllerRevision;
  if (equal === undefined) {
    const made = await createOrFindRevision(client, collisionCount, (count) =>
      newRevision(set, number, count),
    );
    update = made.revision;
    ({ collisionCount } = made);
  } else {
    update = equal === all.at(-1) ? equal : await withRevisionNumber(client, equal, number);
  }
  const current = all.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  return { current: current ?? update, update, all, collisionCount };
}

function newRevision(
  set: StatefulSet,
  revision: number,
  collisionCount: number,
): ControllerRevision {
  const data = templatePatch(set.spec?.template ?? {});
  const hash = encodeHash(fnv1(`${sortedText(data)}${collisionCount}`));
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${set.metadata.name.slice(0, maxPrefixLength)}-${hash}`,
      namespace: set.metadata.namespace,
      labels: { ...set.spec?.template.metadata?.labels, 'controller.kubernetes.io/hash': hash },
      ...(set.metadata.annotations === undefined ? {} : { annotations: set.metadata.annotations }),
      ownerReferences: [controllerReference(set)],
    },
    data,
    revision,
  };
}

/** Deletes the oldest revisions that no pod has, beyond revisionHistoryLimit. */
export async function trimRevisions(
  client: Client,
  set: StatefulSet,
  { current, update, all }: SetRevisions,
  pods: readonly Pod[],
): Promise<void> {
  const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)]);
  const old = all.filter(({ metadata }) => !live.has(metadata.name));
  const limit = set.spec?.revisionHistoryLimit ?? 10;
  for (const revision of old.slice(0, Math.max(old.length - limit, 0))) {
    await deleteRevision(client, revision);
  }
}
