import type { PersistentVolume } from '#schema/types.ts';
import type { AccessMode, NodeCapability } from './csi-messages.ts';

/** The access mode drivers are told for a volume; the first of its modes counts, as upstream. */
export function accessModeOf(
  volume: PersistentVolume,
  capabilities: ReadonlySet<NodeCapability>,
): AccessMode {
  const knowsSingleNode = capabilities.has('SINGLE_NODE_MULTI_WRITER');
  switch (volume.spec?.accessModes?.[0]) {
    case 'ReadWriteMany':
      return 'MULTI_NODE_MULTI_WRITER';
    case 'ReadOnlyMany':
      return 'MULTI_NODE_READER_ONLY';
    case 'ReadWriteOncePod':
      return knowsSingleNode ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER';
    default:
      return knowsSingleNode ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER';
  }
}
