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
  VolumeAttachment,
} from '#schema/types.ts';
import { volumeClass } from '#schema/volumes/mod.ts';
import type { Happening } from './framework/happening.ts';
import type { StorageLookups } from './framework/storage-lookups.ts';

const storage = (resource: string): GroupVersionResource => ({
  group: 'storage.k8s.io',
  version: 'v1',
  resource,
});
const classIndex = 'storageClass';
const nodeIndex = 'attachedNode';

/** Storage lookups over informers; `onEvent` hears of what may help a waiting pod. */
export function createInformerStorage(
  informers: InformerFactory,
  onEvent: (happening: Happening) => void,
): StorageLookups {
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const classes = informers.informer<StorageClass>(resources.storageClasses);
  const nodes = informers.informer<CSINode>(resources.csiNodes);
  const drivers = informers.informer<CSIDriver>(storage('csidrivers'));
  const capacities = informers.informer<CSIStorageCapacity>(storage('csistoragecapacities'));
  const attachments = informers.informer<VolumeAttachment>(resources.volumeAttachments);
  attachments.addIndex(nodeIndex, ({ spec }) => [spec.nodeName]);
  volumes.addIndex(classIndex, (volume) => [volumeClass(volume)]);
  capacities.addIndex(classIndex, ({ storageClassName }) => [storageClassName]);
  const listeners = new Set<() => void>();
  const changed = (): void => onEvent({ event: 'Storage/Update' });
  const tellWaiting = (): void => {
    for (const listener of listeners) listener();
  };
  const claimChanged = ({ metadata: { namespace = '', name } }: PersistentVolumeClaim): void => {
    onEvent({ event: 'Storage/Update', claimKey: `${namespace}/${name}` });
    tellWaiting();
  };
  const volumeChanged = (): void => {
    changed();
    tellWaiting();
  };
  claims.addHandler({
    onAdd: claimChanged,
    onUpdate: (_before, claim) => claimChanged(claim),
    onDelete: claimChanged,
  });
  volumes.addHandler({ onAdd: volumeChanged, onUpdate: volumeChanged, onDelete: volumeChanged });
  for (const informer of [classes, nodes, drivers, capacities]) {
    informer.addHandler({ onAdd: changed, onUpdate: changed });
  }
  // A volume that leaves a node leaves room for another one.
  attachments.addHandler({ onDelete: changed });
  return {
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumesOfClass: (name) => volumes.byIndex(classIndex, name),
    storageClass: (name) => classes.get(name),
    csiNode: (name) => nodes.get(name),
    csiDriver: (name) => drivers.get(name),
    capacities: (name) => capacities.byIndex(classIndex, name),
    attachments: (nodeName) => attachments.byIndex(nodeIndex, nodeName),
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}
