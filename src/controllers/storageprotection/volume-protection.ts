import { resources, startControllerLoop } from '#client/mod.ts';
import type { PersistentVolume } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { hasFinalizer, setFinalizer } from './finalizer.ts';

const finalizer = 'kubernetes.io/pv-protection';

/** Lets deleted volumes go when no claim is bound to them. */
export const startVolumeProtection: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolume-protection-controller',
    clock,
    log,
    signal,
    ready: volumes.synced(signal),
    async reconcile(name) {
      const volume = volumes.get(name);
      if (volume === undefined) return;
      const isProtected = hasFinalizer(volume, finalizer);
      if (isDeleting(volume) !== isProtected) return;
      if (isProtected && volume.status?.phase === 'Bound') return;
      await setFinalizer(client, resources.persistentVolumes, volume, finalizer, !isProtected);
    },
  });
  const enqueue = ({ metadata }: PersistentVolume): void => loop.queue.add(metadata.name);
  volumes.addHandler({ onAdd: enqueue, onUpdate: (_old, volume) => enqueue(volume) });
  return loop.done;
};
