import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createReconcileLoop } from '#base/reconcile-loop.ts';
import type { Informer } from '#client/mod.ts';
import { runCommand } from '#host/process.ts';
import type { Node } from '#schema/types.ts';
import { addCommands, peerChanges, peerOf, removeCommands } from './peers.ts';
import type { Peer } from './peers.ts';

const timeoutMs = 10_000;
const retryMs = 2000;

/**
 * Keeps routes, neighbours and forwarding entries of the VXLAN device in line with the other nodes.
 * Level-triggered: each run looks at all nodes; what fails is tried again. Routes to nodes that are
 * gone since before this process are removed in the first run.
 */
export function followPeers(options: {
  nodes: Informer<Node>;
  nodeName: string;
  device: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { nodes, nodeName, device, clock, log, signal } = options;
  let known: ReadonlyMap<string, Peer> | undefined;

  const sync = async (): Promise<void> => {
    const wanted = new Map<string, Peer>();
    for (const node of nodes.list()) {
      const peer = node.metadata.name === nodeName ? undefined : peerOf(node);
      if (peer !== undefined) wanted.set(peer.nodeName, peer);
    }
    if (known === undefined) await removeStrangers(wanted, device);
    const { removed, added } = peerChanges(known ?? new Map(), wanted);
    for (const peer of removed) await apply(removeCommands(peer, device), true);
    for (const peer of added) await apply(addCommands(peer, device), false);
    known = wanted;
    if (added.length > 0) log.info('Nodes reachable over VXLAN', { count: wanted.size });
  };
  const changed = createReconcileLoop({
    reconcile: sync,
    onError: (error) => {
      log.warning('Cannot set up routes to other nodes', { error: messageOf(error) });
      known = undefined;
    },
    retryMs,
    clock,
    signal,
  });
  // before the first list is complete every known route would look like a stranger's
  const start = (): void => {
    nodes.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    changed();
  };
  nodes.synced(signal).then(start, () => undefined);
}

/** Routes over the device that lead to no wanted peer. */
async function removeStrangers(wanted: ReadonlyMap<string, Peer>, device: string): Promise<void> {
  const { stdout } = await runCommand({
    command: 'ip',
    args: ['-json', 'route', 'show', 'dev', device],
    timeoutMs,
  });
  const routes = (stdout.trim() === '' ? [] : JSON.parse(stdout)) as {
    dst: string;
    gateway?: string;
  }[];
  const subnets = new Set([...wanted.values()].map(({ podCidr }) => podCidr));
  const strangers = routes.filter(({ dst, gateway }) => gateway !== undefined && !subnets.has(dst));
  const ip = strangers.map(({ dst }) => `route delete ${dst} dev ${device}`);
  await apply({ bridge: [], ip }, true);
}

async function apply(
  commands: { bridge: readonly string[]; ip: readonly string[] },
  /** Entries may be gone already. */
  isForced: boolean,
): Promise<void> {
  for (const command of ['bridge', 'ip'] as const) {
    const lines = commands[command];
    if (lines.length === 0) continue;
    await runCommand({
      command,
      args: [...(isForced ? ['-force'] : []), '-batch', '-'],
      stdin: `${lines.join('\n')}\n`,
      timeoutMs,
      okExitCodes: isForced ? [0, 1, 2] : [0],
    });
  }
}
