import { compareQuantity, parseQuantity } from '#base/quantity.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { PersistentVolumeClaim } from '#schema/types.ts';
import type { StartController } from '../context.ts';

/** Whether a bound claim asks for more than it has. */
export function wantsMore({ spec, status }: PersistentVolumeClaim): boolean {
  const wanted = spec?.resources?.requests?.['storage'];
  const has = status?.capacity?.['storage'];
  if (status?.phase !== 'Bound' || wanted === undefined || has === undefined) return false;
  return compareQuantity(parseQuantity(wanted), parseQuantity(has)) > 0;
}

/** Tells that a claim waits to be grown: the resizer of its driver does that, from outside. */
export const startClaimExpander: StartController = (context) => {
  const { informers, clock, log, signal, events } = context;
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolume-expander-controller',
    clock,
    log,
    signal,
    ready: claims.synced(signal),
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined || !wantsMore(claim)) return;
      const text = 'waiting for an external controller to expand this PVC';
      events.event(claim, 'Normal', 'ExternalExpanding', text);
    },
  });
  const look = (claim: PersistentVolumeClaim): void => {
    if (wantsMore(claim)) loop.queue.add(objectKey(claim));
  };
  claims.addHandler({
    onAdd: look,
    onUpdate(old, claim) {
      if (!wantsMore(old)) look(claim);
    },
  });
  return loop.done;
};
