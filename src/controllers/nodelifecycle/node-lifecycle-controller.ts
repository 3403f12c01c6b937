import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Lease, Node, Pod, Taint } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { podsOnNode, indexByNode } from '../pods/pods-on-node.ts';
import { createNodeHealth } from './node-health.ts';
import { missingLabels } from './node-labels.ts';
import { evictionTaintKey, isEvicted, nodeCondition } from './node-taints.ts';
import { wantedTaints, withoutEvictionTaints } from './node-taints.ts';
import { markPodsNotReady } from './pod-unready.ts';
import { createZoneMetrics } from './zone-metrics.ts';
import { createEvictionPace } from './zone-pace.ts';

const defaultMonitorMs = 5000;
const defaultGraceMs = 50_000;
const defaultStartupGraceMs = 60_000;

/** Notices nodes that fell silent and taints nodes by their conditions. */
export const startNodeLifecycleController: StartController = (context) => {
  const { client, informers, clock, log, signal, events, options } = context;
  const nodes = informers.informer<Node>(resources.nodes);
  const pods = informers.informer<Pod>(resources.pods);
  indexByNode(pods);
  const leases = informers.informer<Lease>(resources.leases, { namespace: 'kube-node-lease' });
  const health = createNodeHealth(clock, {
    graceMs: options.nodeMonitorGraceMs ?? defaultGraceMs,
    startupGraceMs: options.nodeStartupGraceMs ?? defaultStartupGraceMs,
  });
  const pace = createEvictionPace(clock, createZoneMetrics(context.metrics), options.eviction);
  let isAllSilent = false;

  const writeTaints = async (node: Node, taints: readonly Taint[]): Promise<void> => {
    const { name, resourceVersion, uid } = node.metadata;
    const body = { metadata: { uid, resourceVersion }, spec: { taints } };
    await client.patch<Node>(resources.nodes, name, { type: 'merge', body });
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'node-lifecycle-controller',
    clock,
    log,
    signal,
    workers: 8,
    ready: Promise.all([nodes.synced(signal), pods.synced(signal), leases.synced(signal)]),
    async reconcile(name) {
      const node = nodes.get(name);
      if (node === undefined) return;
      const hasToGo = evictionTaintKey(node) !== undefined && !isAllSilent;
      const taints = wantedTaints(
        node,
        hasToGo && !isEvicted(node) && pace.mayEvict(node),
        clock.now(),
      );
      try {
        if (taints !== undefined) await writeTaints(node, taints);
        const labels = missingLabels(node);
        if (labels !== undefined) {
          const { uid } = node.metadata;
          const patch = { type: 'merge', body: { metadata: { uid, labels } } } as const;
          await client.patch<Node>(resources.nodes, name, patch);
        }
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      // As long as its kubelet speaks it says itself what its pods are.
      if (nodeCondition(node, 'Ready')?.status !== 'Unknown') return;
      await markPodsNotReady({ client, events, pods: podsOnNode(pods, name), nowMs: clock.now() });
    },
  });
  const { queue } = loop;

  /** Writes Unknown for a node that is silent; true when it was. */
  const silence = async (node: Node): Promise<void> => {
    const conditions = health.check(node, leases.get(`kube-node-lease/${node.metadata.name}`));
    if (conditions === undefined) return;
    const wasReady = nodeCondition(node, 'Ready')?.status === 'True';
    const next = { ...node, status: { ...node.status, conditions } };
    await client.update<Node>(resources.nodes, next, { subresource: 'status' });
    if (wasReady) {
      const text = `Node ${node.metadata.name} status is now: NodeNotReady`;
      events.event(node, 'Normal', 'NodeNotReady', text);
    }
  };
  const monitor = async (): Promise<void> => {
    const all = nodes.list();
    const wasAllSilent = isAllSilent;
    isAllSilent = pace.update(all);
    // What was missed while nobody was heard says nothing about the nodes.
    if (wasAllSilent && !isAllSilent) health.restart();
    for (const node of all) {
      try {
        await silence(node);
        // No node is heard of any more: nobody is sent away for what is likely our own fault.
        const restored = isAllSilent ? withoutEvictionTaints(node) : undefined;
        if (restored !== undefined) await writeTaints(node, restored);
      } catch (error) {
        const name = node.metadata.name;
        if (hasReason(error, 'Conflict') || hasReason(error, 'NotFound')) continue;
        log.warning('cannot look after node', { node: name, error: messageOf(error) });
      }
      // Those that wait for their turn to be tainted, and pods that came meanwhile.
      if (evictionTaintKey(node) !== undefined) queue.add(node.metadata.name);
    }
  };
  const watchNodes = async (): Promise<void> => {
    await Promise.all([nodes.synced(signal), leases.synced(signal)]).catch(() => undefined);
    while (!signal.aborted) {
      await monitor();
      await clock.sleep(options.nodeMonitorMs ?? defaultMonitorMs, signal).catch(() => undefined);
    }
  };

  nodes.addHandler({
    onAdd(node) {
      queue.add(node.metadata.name);
      const { name } = node.metadata;
      const text = `Node ${name} event: Registered Node ${name} in Controller`;
      events.event(node, 'Normal', 'RegisteredNode', text);
    },
    onUpdate(old, node) {
      const isSame =
        old.spec === node.spec &&
        missingLabels(node) === undefined &&
        old.status?.conditions?.every(
          ({ type, status }) => nodeCondition(node, type)?.status === status,
        ) === true;
      if (!isSame) queue.add(node.metadata.name);
    },
    onDelete(node) {
      const { name } = node.metadata;
      health.forget(name);
      const text = `Node ${name} event: Removing Node ${name} from Controller`;
      events.event(node, 'Normal', 'RemovingNode', text);
    },
  });
  return Promise.all([loop.done, watchNodes()]).then(() => undefined);
};
