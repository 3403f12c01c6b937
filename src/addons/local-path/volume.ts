import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  StorageClass,
} from '#schema/types.ts';
import { provisionerName } from './objects.ts';

export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';
/** Where the directory is, also when the volume is not bound to a node. */
export const nodeAnnotation = 'local.path.provisioner/selected-node';
const hostnameLabel = 'kubernetes.io/hostname';

export function volumeNameFor(claim: PersistentVolumeClaim): string {
  return `pvc-${claim.metadata.uid ?? ''}`;
}

/** The volume for a claim, as the provisioner that k3s packages makes it. */
export function newVolume(options: {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  node: Node;
  path: string;
  isShared: boolean;
}): PersistentVolume {
  const { claim, storageClass, node, path, isShared } = options;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeNameFor(claim),
      annotations: {
        [nodeAnnotation]: node.metadata.name,
        [provisionedByAnnotation]: provisionerName,
      },
    },
    spec: {
      accessModes: claim.spec?.accessModes,
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace,
        name,
        uid,
        resourceVersion,
      },
      ...source(options, path),
      ...(isShared ? {} : { nodeAffinity: onlyOn(node) }),
      mountOptions: storageClass.mountOptions,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: 'Filesystem',
    },
  };
}

/** The claim's annotation wins over that of the class. */
function source(
  { claim, storageClass }: { claim: PersistentVolumeClaim; storageClass: StorageClass },
  path: string,
): Partial<PersistentVolumeSpec> {
  const type =
    claim.metadata.annotations?.['volumeType'] ??
    storageClass.metadata.annotations?.['defaultVolumeType'] ??
    'hostPath';
  return type.toLowerCase() === 'local'
    ? { local: { path } }
    : { hostPath: { path, type: 'DirectoryOrCreate' } };
}

function onlyOn({ metadata }: Node): PersistentVolumeSpec['nodeAffinity'] {
  const hostname = metadata.labels?.[hostnameLabel] ?? metadata.name;
  const expression = { key: hostnameLabel, operator: 'In', values: [hostname] };
  return { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
}
