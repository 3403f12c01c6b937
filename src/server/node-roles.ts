import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';

/** Labels of a server's node, as k3s sets them; a kubelet may not give itself these. */
const roleLabels: Readonly<Record<string, string>> = {
  'node-role.kubernetes.io/control-plane': 'true',
  'node-role.kubernetes.io/master': 'true',
};

/** Keeps the role labels on the node of this server. */
export function keepNodeRoles(options: {
  client: Client;
  nodes: Informer<Node>;
  nodeName: string;
  log: Logger;
}): void {
  const { client, nodes, nodeName, log } = options;
  const see = (node: Node): void => {
    if (node.metadata.name !== nodeName) return;
    const labels = node.metadata.labels ?? {};
    const isComplete = Object.entries(roleLabels).every(([key, value]) => labels[key] === value);
    if (isComplete) return;
    const body = { metadata: { labels: roleLabels } };
    client
      .patch(resources.nodes, nodeName, { type: 'merge', body })
      .catch((error: unknown) =>
        log.warning('Cannot label the node of this server', { error: messageOf(error) }),
      );
  };
  nodes.addHandler({ onAdd: see, onUpdate: (_before, node) => see(node) });
}
