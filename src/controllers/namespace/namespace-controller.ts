import { hasReason } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Namespace, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { discoveryFailureText, failedGroups } from './failed-groups.ts';
import { deletionConditions } from './namespace-conditions.ts';
import { deleteContent } from './namespace-content.ts';

const finalizer = 'kubernetes';

/** As upstream: between two looks at content that takes its time. */
const minRecheckMs = 1000;

/** Empties namespaces that are being deleted and lets go of them when nothing is left. */
export const startNamespaceController: StartController = (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const namespaces = informers.informer<Namespace>(resources.namespaces);
  const pods = informers.informer<Pod>(resources.pods);

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'namespace-controller',
    clock,
    log,
    signal,
    workers: 10,
    rateLimits: { firstMs: 5, maxMs: 60_000, burst: 100, perSecond: 10 },
    ready: namespaces.synced(signal),
    async reconcile(name) {
      const seen = namespaces.get(name);
      if (seen?.metadata.deletionTimestamp === undefined) return undefined;
      if (seen.spec?.finalizers?.includes(finalizer) !== true) return undefined;
      const unknownGroups = await failedGroups(client);
      const left = await deleteContent(client, name, options.resources());
      const live = await client.get<Namespace>(resources.namespaces, name);
      if (live.metadata.uid !== seen.metadata.uid) return undefined;
      const before = live.status?.conditions ?? [];
      const conditions = deletionConditions(before, left, unknownGroups, clock.now());
      const status = { phase: 'Terminating', conditions };
      let current = live;
      if (!isSameJson(live.status, status)) {
        const wanted = { ...live, status };
        const subresource = 'status';
        current = await client.update<Namespace>(resources.namespaces, wanted, { subresource });
      }
      const problems = [...left.errors];
      if (unknownGroups.length > 0) problems.push(discoveryFailureText(unknownGroups));
      if (problems.length > 0) throw new K3tsError('ContentLeft', problems.join(', '));
      if (left.remaining.size > 0) {
        return { requeueAfterMs: (left.graceSeconds * 1000) / 2 + minRecheckMs };
      }
      const finalizers = (current.spec?.finalizers ?? []).filter((other) => other !== finalizer);
      const finalized = { ...current, spec: { ...current.spec, finalizers } };
      try {
        const subresource = 'finalize';
        await client.update<Namespace>(resources.namespaces, finalized, { subresource });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return undefined;
    },
  });
  const { queue } = loop;
  const enqueue = (namespace: Namespace): void => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(namespace.metadata.name);
  };
  namespaces.addHandler({ onAdd: enqueue, onUpdate: (_old, namespace) => enqueue(namespace) });
  // The last pod's end is what a namespace mostly waits for.
  pods.addHandler({
    onDelete({ metadata: { namespace = '' } }) {
      const home = namespaces.get(namespace);
      if (home !== undefined && pods.listNamespace(namespace).length === 0) enqueue(home);
    },
  });
  return loop.done;
};
