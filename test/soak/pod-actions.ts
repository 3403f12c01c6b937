import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { Action, ChurnContext } from './churn-context.ts';
import { wantedCount } from './desired.ts';
import { namespace, podKinds, podManifest } from './manifests.ts';

/** Patches with a fragment of JSON. */
export const withMerge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

export function podActions(context: ChurnContext): {
  create: Action;
  remove: Action;
  label: Action;
} {
  const { api, desired, podCount, pick, idle, hold, next } = context;
  const { core, persist } = api;
  return {
    async create() {
      if (wantedCount(desired) >= podCount) return false;
      const kind = pick(podKinds) ?? 'serve';
      const name = `${kind}-${next()}`;
      desired.pods.set(name, { kind });
      return await hold(name, async () => {
        const body = podManifest(name, kind);
        context.onCreated(name);
        const create = () => core.createNamespacedPod({ namespace, body });
        await persist(`create pod ${name}`, create, [409]);
      });
    },
    async remove() {
      const name = idle(desired.pods.keys());
      if (name === undefined) return false;
      desired.pods.delete(name);
      // Most as kubectl does it, some at once, some by force.
      const gracePeriodSeconds = pick([undefined, undefined, undefined, 1, 0]);
      return await hold(name, async () => {
        context.onDeleted(name);
        const params = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
        const remove = () => core.deleteNamespacedPod({ name, namespace, ...params });
        await persist(`delete pod ${name}`, remove, [404]);
      });
    },
    async label() {
      const name = idle(desired.pods.keys());
      if (name === undefined) return false;
      return await hold(name, async () => {
        const body = { metadata: { labels: { touched: `${next()}` } } };
        const patch = () => core.patchNamespacedPod({ name, namespace, body }, withMerge);
        await persist(`label pod ${name}`, patch);
      });
    },
  };
}
