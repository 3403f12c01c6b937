import { hasReason } from '#base/api-status-error.ts';
import { parseCidr } from '#base/cidr.ts';
import { K3tsError } from '#base/errors.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { createSubnetPool } from './subnet-pool.ts';

/** Size of a node's range, as k3s. */
const prefixLength = { 4: 24, 6: 64 } as const;

/** Gives each node its part of the pod ranges: spec.podCIDR and podCIDRs, once and for ever. */
export const startNodeIpamController: StartController = (context) => {
  const { client, informers, clock, log, signal, events, options } = context;
  const nodes = informers.informer<Node>(resources.nodes);
  const pools = options.clusterCidrs.map((text) => {
    const range = parseCidr(text);
    return createSubnetPool(range, Math.max(prefixLength[range.family], range.prefixLength));
  });
  if (pools.length === 0) return Promise.resolve();

  const rangesOf = (node: Node): readonly string[] => {
    const { podCIDRs = [], podCIDR } = node.spec ?? {};
    return podCIDRs.length > 0 || podCIDR === undefined ? podCIDRs : [podCIDR];
  };
  const occupy = (node: Node): void => {
    for (const range of rangesOf(node)) for (const pool of pools) pool.occupy(range);
  };
  const release = (ranges: readonly string[]): void => {
    for (const range of ranges) for (const pool of pools) pool.release(range);
  };

  const assign = async (node: Node): Promise<void> => {
    const ranges: string[] = [];
    for (const pool of pools) {
      const range = pool.take();
      if (range === undefined) {
        release(ranges);
        const text = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
        events.event(node, 'Normal', 'CIDRNotAvailable', text);
        throw new K3tsError('NoSubnet', 'no free pod range is left');
      }
      ranges.push(range);
    }
    const { name, uid } = node.metadata;
    const body = { metadata: { uid }, spec: { podCIDR: ranges[0], podCIDRs: ranges } };
    try {
      await client.patch<Node>(resources.nodes, name, { type: 'merge', body });
    } catch (error) {
      release(ranges);
      if (hasReason(error, 'NotFound')) return;
      const text = `Node ${name} status is now: CIDRAssignmentFailed`;
      events.event(node, 'Normal', 'CIDRAssignmentFailed', text);
      throw error;
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'node-ipam-controller',
    clock,
    log,
    signal,
    // What nodes have already must be known before anything is handed out.
    ready: nodes.synced(signal),
    async reconcile(name) {
      const node = nodes.get(name);
      if (node === undefined || rangesOf(node).length > 0) return;
      // The informer may be behind our own write.
      const live = await client.get<Node>(resources.nodes, name).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined;
        throw error;
      });
      if (live === undefined) return;
      if (rangesOf(live).length > 0) occupy(live);
      else await assign(live);
    },
  });
  const { queue } = loop;
  nodes.addHandler({
    onAdd(node) {
      occupy(node);
      queue.add(node.metadata.name);
    },
    onUpdate(_old, node) {
      if (rangesOf(node).length === 0) queue.add(node.metadata.name);
      else occupy(node);
    },
    onDelete: (node) => release(rangesOf(node)),
  });
  return loop.done;
};
