import {
  controllerOf,
  createExpectations,
  objectKey,
  resources,
  startControllerLoop,
} from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { ControllerRevision, DaemonSet, Node, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { indexByController } from '../pods/owned-objects.ts';
import { createOwnedPodHandler } from '../pods/owned-pod-events.ts';
import { createDaemonSync } from './sync-daemon-set.ts';

/** Keeps one pod of a DaemonSet on each node that it fits. */
export const startDaemonSetController: StartController = (context) => {
  const { informers, clock, log, signal } = context;
  const sets = informers.informer<DaemonSet>(resources.daemonSets);
  const pods = informers.informer<Pod>(resources.pods);
  const nodes = informers.informer<Node>(resources.nodes);
  const revisions = informers.informer<ControllerRevision>(resources.controllerRevisions);
  indexByController(pods);
  indexByController(revisions);
  const expectations = createExpectations(clock);
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'daemonset-controller',
    clock,
    log,
    signal,
    workers: 2,
    ready: Promise.all([
      sets.synced(signal),
      pods.synced(signal),
      nodes.synced(signal),
      revisions.synced(signal),
    ]),
    reconcile: createDaemonSync(context, { sets, pods, nodes, revisions, expectations }),
  });
  const { queue } = loop;
  const enqueueAll = (): void => {
    for (const set of sets.list()) queue.add(objectKey(set));
  };
  sets.addHandler({
    onAdd: (set) => queue.add(objectKey(set)),
    onUpdate: (_old, set) => queue.add(objectKey(set)),
    onDelete: (set) => queue.add(objectKey(set)),
  });
  nodes.addHandler({
    onAdd: enqueueAll,
    onDelete: enqueueAll,
    onUpdate(old, node) {
      const isSame =
        isSameJson(old.metadata.labels, node.metadata.labels) &&
        isSameJson(old.spec?.taints, node.spec?.taints);
      if (!isSame) enqueueAll();
    },
  });
  // A revision that somebody deletes is made anew.
  const onRevision = (revision: ControllerRevision): void => {
    const owner = controllerOf(revision);
    if (owner?.kind === 'DaemonSet') queue.add(`${revision.metadata.namespace}/${owner.name}`);
  };
  revisions.addHandler({ onUpdate: (_old, next) => onRevision(next), onDelete: onRevision });
  pods.addHandler(
    createOwnedPodHandler<DaemonSet>({
      owners: sets,
      kind: 'DaemonSet',
      selectorOf: (set) => labelSelectorFrom(set.spec?.selector),
      minReadySecondsOf: (set) => set.spec?.minReadySeconds ?? 0,
      expectations,
      enqueue: (key) => queue.add(key),
      enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    }),
  );
  return loop.done;
};
