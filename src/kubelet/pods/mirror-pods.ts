import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { namespaceOf, podAnnotations, podKey } from './names.ts';

/** Keeps one pod on the API server for each static pod, so that it can be seen there. */
export interface MirrorPods {
  /** Creates the mirror, or replaces one that is old or being deleted. Failures are logged. */
  ensure(staticPod: Pod): Promise<void>;
  remove(mirror: Pod): Promise<void>;
}

export function createMirrorPods(options: {
  client: Client;
  log: Logger;
  node: () => Node | undefined;
  /** The mirror that exists. */
  find: (staticPod: Pod) => Pod | undefined;
}): MirrorPods {
  const { client, log, find } = options;

  const remove = async (mirror: Pod): Promise<void> => {
    const { uid } = mirror.metadata;
    await client
      .delete(resources.pods, mirror.metadata.name, {
        namespace: namespaceOf(mirror),
        gracePeriodSeconds: 0,
        preconditions: { uid },
      })
      .catch((error: unknown) => {
        if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
        log.warning('cannot delete a mirror pod', { pod: podKey(mirror), error: messageOf(error) });
      });
  };

  return {
    remove,
    async ensure(staticPod) {
      const present = find(staticPod);
      const hash = staticPod.metadata.annotations?.[podAnnotations.hash] ?? '';
      if (present !== undefined) {
        // One that was asked to go is replaced at once: nobody but the kubelet ends a static pod.
        const isGoing = present.metadata.deletionTimestamp !== undefined;
        if (!isGoing && present.metadata.annotations?.[podAnnotations.mirror] === hash) return;
        await remove(present);
      }
      const node = options.node();
      if (node === undefined) return;
      try {
        const mirror = mirrorOf(staticPod, hash, node);
        await client.create(resources.pods, mirror, { namespace: namespaceOf(staticPod) });
      } catch (error) {
        if (hasReason(error, 'AlreadyExists')) return;
        log.warning('cannot create a mirror pod', {
          pod: podKey(staticPod),
          error: messageOf(error),
        });
      }
    },
  };
}

function mirrorOf(staticPod: Pod, hash: string, node: Node): Pod {
  const { name, namespace, labels, annotations } = staticPod.metadata;
  const { name: nodeName, uid = '' } = node.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [podAnnotations.mirror]: hash },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid, controller: true }],
    },
    spec: staticPod.spec,
  };
}
