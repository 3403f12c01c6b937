import { resources } from '#client/mod.ts';
import type { InformerFactory } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '#schema/types.ts';
import { volumeClass } from '#schema/volumes/mod.ts';
import type { ClusterEvent } from './framework/plugin.ts';
import type { StorageLookups } from './framework/storage-lookups.ts';

const storage = (resource: string): GroupVersionResource => ({
  group: 'storage.k8s.io',
  version: 'v1',
  resource,
});
const classIndex = 'storageClass';

/** Storage lookups over informers; `onEvent` hears of what may help a waiting pod. */
export function createInformerStorage(
  informers: InformerFactory,
  onEvent: (event: ClusterEvent) => void,
): StorageLookups {
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const classes = informers.informer<StorageClass>(resources.storageClasses);
  const nodes = informers.informer<CSINode>(resources.csiNodes);
  const drivers = informers.informer<CSIDriver>(storage('csidrivers'));
  const capacities = informers.informer<CSIStorageCapacity>(storage('csistoragecapacities'));
  volumes.addIndex(classIndex, (volume) => [volumeClass(volume)]);
  capacities.addIndex(classIndex, ({ storageClassName }) => [storageClassName]);
  const listeners = new Set<() => void>();
  const changed = (): void => onEvent('Storage/Update');
  const bindingChanged = (): void => {
    changed();
    for (const listener of listeners) listener();
  };
  for (const informer of [claims, volumes]) {
    informer.addHandler({
      onAdd: bindingChanged,
      onUpdate: bindingChanged,
      onDelete: bindingChanged,
    });
  }
  for (const informer of [classes, nodes, drivers, capacities]) {
    informer.addHandler({ onAdd: changed, onUpdate: changed });
  }
  return {
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumesOfClass: (name) => volumes.byIndex(classIndex, name),
    storageClass: (name) => classes.get(name),
    csiNode: (name) => nodes.get(name),
    csiDriver: (name) => drivers.get(name),
    capacities: (name) => capacities.byIndex(classIndex, name),
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}
