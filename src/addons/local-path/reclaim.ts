import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import type { Node, PersistentVolume } from '#schema/types.ts';
import type { NodeDirectories } from './node-directories.ts';
import { provisionerName } from './objects.ts';
import { nodeAnnotation, provisionedByAnnotation } from './volume.ts';

/** Whether a volume was made by us and is to go now. */
export function isToReclaim({ metadata, spec, status }: PersistentVolume): boolean {
  return (
    metadata.annotations?.[provisionedByAnnotation] === provisionerName &&
    metadata.deletionTimestamp === undefined &&
    status?.phase === 'Released' &&
    spec?.persistentVolumeReclaimPolicy === 'Delete'
  );
}

/**
 * Removes the directory on its node, then the volume. A node that is gone took the directory with
 * it; one that is only away is asked again later.
 */
export async function reclaim(
  context: {
    client: Client;
    nodes: Informer<Node>;
    events: EventRecorder;
    directories: NodeDirectories;
    signal: AbortSignal;
  },
  volume: PersistentVolume,
): Promise<void> {
  const { client, nodes, events, directories, signal } = context;
  const { name, uid } = volume.metadata;
  const path = volume.spec?.local?.path ?? volume.spec?.hostPath?.path;
  const node = nodes.list().find((one) => one.metadata.name === nodeOf(volume, nodes));
  try {
    if (path !== undefined && node !== undefined) {
      await directories.remove(node.metadata.name, path, signal);
    }
    await client.delete(resources.persistentVolumes, name, { preconditions: { uid }, signal });
  } catch (error) {
    if (hasReason(error, 'NotFound') || signal.aborted) return;
    events.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error));
    throw error;
  }
}

/** The node that has the directory; older volumes tell only the host's name. */
function nodeOf({ metadata, spec }: PersistentVolume, nodes: Informer<Node>): string | undefined {
  const named = metadata.annotations?.[nodeAnnotation];
  if (named !== undefined) return named;
  const [term] = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const key = 'kubernetes.io/hostname';
  const hostname = term?.matchExpressions?.find((one) => one.key === key)?.values?.[0];
  return nodes
    .list()
    .find((node) => hostname !== undefined && node.metadata.labels?.[key] === hostname)?.metadata
    .name;
}
