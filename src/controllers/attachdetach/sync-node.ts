import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import type { Node, Pod, VolumeAttachment } from '#schema/types.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { podsOnNode } from '../pods/pods-on-node.ts';
import { asAttachable, attachablesOf, attachmentName, isForOneNode } from './attachable.ts';
import type { Attachable, AttachableSources } from './attachable.ts';

export interface NodeSync extends AttachableSources {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly attachments: Informer<VolumeAttachment>;
  readonly clock: Clock;
  /** Whether a silent node loses its volumes after a while. */
  readonly forcesDetach: boolean;
  /** When a volume was first seen to be of no use, by attachment name. */
  readonly unusedSinceMs: Map<string, number>;
  /** Names of attachments that were refused as another node has the volume; told once. */
  readonly refused: Set<string>;
  /** Attachments by node; an index. */
  readonly attachmentsOf: (nodeName: string) => VolumeAttachment[];
}

const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach';
const keepAnnotation = 'volumes.kubernetes.io/keep-terminated-pod-volumes';
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';
/** Upstream's wait for a node that does not say that it has unmounted. */
const maxWaitForUnmountMs = 6 * 60_000;
/** While a node still has a volume mounted, or another one has it. */
export const recheckMs = 1_000;

/**
 * Brings the VolumeAttachments of a node in line with the pods on it. Attaching itself is up to the
 * driver's attacher. Answers true when it has to be looked at again soon.
 */
export async function syncNode(sync: NodeSync, nodeName: string): Promise<boolean> {
  const node = sync.nodes.get(nodeName);
  const wanted = new Map<string, { attachable: Attachable; pods: Pod[] }>();
  for (const { pod, attachable } of usesOn(sync, nodeName, node)) {
    const name = attachmentName(attachable, nodeName);
    const entry = wanted.get(name) ?? { attachable, pods: [] };
    entry.pods.push(pod);
    wanted.set(name, entry);
  }
  let isWaiting = false;
  for (const attachment of sync.attachmentsOf(nodeName)) {
    if (wanted.has(attachment.metadata.name)) {
      sync.unusedSinceMs.delete(attachment.metadata.name);
    } else if (!(await detach(sync, attachment, node))) isWaiting = true;
  }
  for (const [name, { attachable, pods }] of wanted) {
    if (sync.attachments.get(name) !== undefined) continue;
    if (isManaged(node) && !(await attach(sync, attachable, nodeName, pods))) isWaiting = true;
  }
  if (node !== undefined) await reportAttached(sync, node);
  return isWaiting;
}

function isManaged(node: Node | undefined): boolean {
  return node?.metadata.annotations?.[managedAnnotation] === 'true';
}

function usesOn(
  sync: NodeSync,
  nodeName: string,
  node: Node | undefined,
): { pod: Pod; attachable: Attachable }[] {
  const isKept = node?.metadata.annotations?.[keepAnnotation] === 'true';
  return podsOnNode(sync.pods, nodeName)
    .filter((pod) => isKept || !isPodFinished(pod))
    .flatMap((pod) => attachablesOf(pod, sync).map((attachable) => ({ pod, attachable })));
}

/** False while another node has a volume that only one may have. */
async function attach(
  sync: NodeSync,
  attachable: Attachable,
  nodeName: string,
  pods: readonly Pod[],
): Promise<boolean> {
  const { client, events, refused } = sync;
  const name = attachmentName(attachable, nodeName);
  const { name: volumeName } = attachable.volume.metadata;
  const elsewhere = isForOneNode(attachable) ? nodesWith(sync, volumeName, nodeName) : [];
  if (elsewhere.length > 0) {
    if (!refused.has(name)) {
      const text = multiAttachText(sync, attachable, elsewhere, pods);
      for (const pod of pods) events.event(pod, 'Warning', 'FailedAttachVolume', text);
      refused.add(name);
    }
    return false;
  }
  refused.delete(name);
  const attachment: VolumeAttachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name },
    spec: {
      attacher: attachable.driver,
      nodeName,
      source: { persistentVolumeName: volumeName },
    },
  };
  try {
    await client.create(resources.volumeAttachments, attachment);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
  return true;
}

function nodesWith(sync: NodeSync, volumeName: string, butNot: string): string[] {
  return sync.attachments
    .list()
    .filter(({ spec }) => spec.source.persistentVolumeName === volumeName)
    .map(({ spec }) => spec.nodeName)
    .filter((nodeName) => nodeName !== butNot);
}

function multiAttachText(
  sync: NodeSync,
  { volume, uniqueName }: Attachable,
  nodeNames: readonly string[],
  asking: readonly Pod[],
): string {
  const users = nodeNames.flatMap((nodeName) =>
    usesOn(sync, nodeName, sync.nodes.get(nodeName)).filter(
      ({ attachable }) => attachable.uniqueName === uniqueName,
    ),
  );
  const head = `Multi-Attach error for volume "${volume.metadata.name}" `;
  const namespace = asking[0]?.metadata.namespace;
  const own = users.filter(({ pod }) => pod.metadata.namespace === namespace);
  if (users.length === 0) {
    return `${head}Volume is already exclusively attached to one node and can't be attached to another`;
  }
  // Pods of other namespaces are not named to those who may not see them.
  const others = users.length - own.length;
  const named = own.map(({ pod }) => pod.metadata.name).join(', ');
  if (own.length === 0) {
    return `${head}Volume is already used by ${others} pod(s) in different namespaces`;
  }
  const more = others === 0 ? '' : ` and ${others} pod(s) in different namespaces`;
  return `${head}Volume is already used by pod(s) ${named}${more}`;
}

/** False while the node may still have the volume mounted. */
async function detach(
  sync: NodeSync,
  attachment: VolumeAttachment,
  node: Node | undefined,
): Promise<boolean> {
  const { client, clock, volumes, drivers, unusedSinceMs, forcesDetach } = sync;
  const { name, uid, deletionTimestamp } = attachment.metadata;
  if (deletionTimestamp !== undefined) return true;
  const { persistentVolumeName = '' } = attachment.spec.source;
  const attachable = asAttachable(volumes.get(persistentVolumeName), drivers);
  // somebody else's: nothing here says that it was ever attached by this controller
  if (attachable === undefined) return true;
  const sinceMs = unusedSinceMs.get(name) ?? clock.monotonicMs();
  unusedSinceMs.set(name, sinceMs);
  const isInUse = node?.status?.volumesInUse?.includes(attachable.uniqueName) === true;
  const isOver = clock.monotonicMs() - sinceMs >= maxWaitForUnmountMs;
  const isLate = forcesDetach && isOver && !isReady(node);
  if (isInUse && !isLate && !isOutOfService(node)) return false;
  unusedSinceMs.delete(name);
  try {
    await client.delete(resources.volumeAttachments, name, { preconditions: { uid } });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
  return true;
}

function isReady(node: Node | undefined): boolean {
  return (
    node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
    true
  );
}

function isOutOfService(node: Node | undefined): boolean {
  return node?.spec?.taints?.some(({ key }) => key === outOfServiceTaint) === true;
}

/** node.status.volumesAttached: what attachers say is attached. */
async function reportAttached(sync: NodeSync, node: Node): Promise<void> {
  const { client, volumes, drivers } = sync;
  const names = sync
    .attachmentsOf(node.metadata.name)
    .filter(({ status }) => status?.attached === true)
    .flatMap(({ spec }) => {
      const volume = volumes.get(spec.source.persistentVolumeName ?? '');
      return asAttachable(volume, drivers)?.uniqueName ?? [];
    })
    .sort();
  const known = (node.status?.volumesAttached ?? []).map(({ name }) => name).sort();
  if (known.join() === names.join()) return;
  const volumesAttached = names.map((name) => ({ name, devicePath: '' }));
  const body = { status: { volumesAttached: names.length === 0 ? null : volumesAttached } };
  const options = { subresource: 'status' };
  await client.patch(resources.nodes, node.metadata.name, { type: 'merge', body }, options);
}
