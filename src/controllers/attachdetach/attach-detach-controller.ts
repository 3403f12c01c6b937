import { resources, startControllerLoop } from '#client/mod.ts';
import { podClaims } from '#schema/volumes/mod.ts';
import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { indexByNode, podsOnNode } from '../pods/pods-on-node.ts';
import { attachablesOf } from './attachable.ts';
import { recheckMs, syncNode } from './sync-node.ts';
import type { NodeSync } from './sync-node.ts';

const nodeIndex = 'attachment-node';

/** Keeps a VolumeAttachment for each volume that has to be attached to a node of its pods. */
export const startAttachDetachController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const pods = informers.informer<Pod>(resources.pods);
  const nodes = informers.informer<Node>(resources.nodes);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const drivers = informers.informer<CSIDriver>(resources.csiDrivers);
  const attachments = informers.informer<VolumeAttachment>(resources.volumeAttachments);
  indexByNode(pods);
  attachments.addIndex(nodeIndex, ({ spec }) => [spec.nodeName]);
  const sources = { claims, volumes, drivers };
  const sync: NodeSync = {
    ...sources,
    client,
    events,
    pods,
    nodes,
    attachments,
    clock,
    forcesDetach: context.options.forcesDetach ?? true,
    unusedSinceMs: new Map(),
    refused: new Set(),
    attachmentsOf: (nodeName) => attachments.byIndex(nodeIndex, nodeName),
  };
  // One worker: whether a volume may go to a node depends on where it was put a moment ago.
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolume-attach-detach-controller',
    clock,
    log,
    signal,
    ready: Promise.all(
      [pods, nodes, claims, volumes, drivers, attachments].map((one) => one.synced(signal)),
    ),
    reconcile: async (nodeName) =>
      (await syncNode(sync, nodeName)) ? { requeueAfterMs: recheckMs } : undefined,
  });
  const enqueue = (nodeName: string): void => {
    if (nodeName !== '') loop.queue.add(nodeName);
  };
  const onPod = (pod: Pod): void => {
    if (podClaims(pod).length > 0) enqueue(pod.spec?.nodeName ?? '');
  };
  pods.addHandler({ onAdd: onPod, onUpdate: (_old, pod) => onPod(pod), onDelete: onPod });
  claims.addHandler({
    onUpdate(old, claim) {
      if (old.status?.phase === claim.status?.phase) return;
      for (const pod of pods.listNamespace(claim.metadata.namespace ?? '')) {
        if (podClaims(pod).some(({ name }) => name === claim.metadata.name)) onPod(pod);
      }
    },
  });
  nodes.addHandler({
    onUpdate(old, node) {
      const essence = ({ status, spec }: Node): string =>
        JSON.stringify([status?.volumesInUse, spec?.taints]);
      if (essence(old) !== essence(node)) enqueue(node.metadata.name);
    },
    onDelete: ({ metadata }) => enqueue(metadata.name),
  });
  const usersOf = ({ spec }: VolumeAttachment): Pod[] =>
    podsOnNode(pods, spec.nodeName).filter((pod) =>
      attachablesOf(pod, sources).some(
        ({ volume }) => volume.metadata.name === spec.source.persistentVolumeName,
      ),
    );
  const tell = (old: VolumeAttachment, attachment: VolumeAttachment): void => {
    const name = attachment.spec.source.persistentVolumeName;
    const { attached, attachError } = attachment.status ?? {};
    if (attached === true && old.status?.attached !== true) {
      const text = `AttachVolume.Attach succeeded for volume "${name}" `;
      for (const pod of usersOf(attachment)) {
        events.event(pod, 'Normal', 'SuccessfulAttachVolume', text);
      }
    } else if (attachError !== undefined && attachError.time !== old.status?.attachError?.time) {
      const text = `AttachVolume.Attach failed for volume "${name}" : ${attachError.message ?? ''}`;
      for (const pod of usersOf(attachment)) {
        events.event(pod, 'Warning', 'FailedAttachVolume', text);
      }
    }
  };
  const onAttachment = ({ spec }: VolumeAttachment): void => enqueue(spec.nodeName);
  attachments.addHandler({
    onAdd: onAttachment,
    onUpdate(old, attachment) {
      tell(old, attachment);
      onAttachment(attachment);
    },
    onDelete: onAttachment,
  });
  return loop.done;
};
