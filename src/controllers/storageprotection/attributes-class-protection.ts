import { resources, startControllerLoop } from '#client/mod.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  VolumeAttributesClass,
} from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { hasFinalizer, setFinalizer } from './finalizer.ts';

const finalizer = 'kubernetes.io/vac-protection';
const classIndex = 'attributes-class';

/** Lets deleted VolumeAttributesClasses go when no claim and no volume has or wants them. */
export const startAttributesClassProtection: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const classes = informers.informer<VolumeAttributesClass>(resources.volumeAttributesClasses);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  claims.addIndex(classIndex, classesOfClaim);
  volumes.addIndex(classIndex, classesOfVolume);
  const isUsed = (name: string): boolean =>
    claims.byIndex(classIndex, name).length > 0 || volumes.byIndex(classIndex, name).length > 0;
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'volumeattributesclass-protection-controller',
    clock,
    log,
    signal,
    ready: Promise.all([classes, claims, volumes].map((informer) => informer.synced(signal))),
    async reconcile(name) {
      const found = classes.get(name);
      if (found === undefined) return;
      const isProtected = hasFinalizer(found, finalizer);
      if (isDeleting(found) !== isProtected) return;
      if (isProtected && isUsed(name)) return;
      const resource = resources.volumeAttributesClasses;
      await setFinalizer(client, resource, found, finalizer, !isProtected);
    },
  });
  const enqueue = (names: readonly string[]): void => {
    for (const name of names) if (classes.get(name) !== undefined) loop.queue.add(name);
  };
  const look = ({ metadata }: VolumeAttributesClass): void => loop.queue.add(metadata.name);
  classes.addHandler({ onAdd: look, onUpdate: (_old, found) => look(found) });
  claims.addHandler({
    onUpdate: (old) => enqueue(classesOfClaim(old)),
    onDelete: (claim) => enqueue(classesOfClaim(claim)),
  });
  volumes.addHandler({
    onUpdate: (old) => enqueue(classesOfVolume(old)),
    onDelete: (volume) => enqueue(classesOfVolume(volume)),
  });
  return loop.done;
};

function classesOfClaim({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.flatMap((name) => (name === undefined || name === '' ? [] : [name])))];
}

function classesOfVolume({ spec }: PersistentVolume): string[] {
  const { volumeAttributesClassName: name = '' } = spec ?? {};
  return name === '' ? [] : [name];
}
