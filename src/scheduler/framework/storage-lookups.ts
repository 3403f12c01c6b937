import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
} from '#schema/types.ts';

/** What volume plugins ask about storage objects. Synchronous, from informers. */
export interface StorageLookups {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumesOfClass(storageClass: string): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  csiNode(name: string): CSINode | undefined;
  csiDriver(name: string): CSIDriver | undefined;
  capacities(storageClass: string): readonly CSIStorageCapacity[];
  /** What is attached to the node, or on its way there or away. */
  attachments(nodeName: string): readonly VolumeAttachment[];
  /** Calls `changed` after each change of a claim or volume, until the returned function is called. */
  onChange(changed: () => void): () => void;
}

/** Knows no storage: for profiles without a cluster around them. */
export const noStorage: StorageLookups = {
  claim: () => undefined,
  volume: () => undefined,
  volumesOfClass: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  csiDriver: () => undefined,
  capacities: () => [],
  attachments: () => [],
  onChange: () => () => undefined,
};
