import type { Container, LabelSelector, Node, Pod, PodSpec } from '#schema/types.ts';
import { createClusterCache } from '../cache/cluster-cache.ts';
import type { ClusterCache } from '../cache/cluster-cache.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { CycleState, Plugin } from '../framework/plugin.ts';

/** A node in a zone, with room for anything. */
export function zoneNode(name: string, zone?: string, change: Partial<Node> = {}): Node {
  const zoneLabel = zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone };
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...zoneLabel } },
    status: { allocatable: { cpu: '64', memory: '64Gi', pods: '100' } },
    ...change,
  };
}

/** A pod of namespace `default` with these labels. */
export function labelledPod(
  name: string,
  labels: Record<string, string>,
  spec: Partial<PodSpec> = {},
): Pod {
  const containers: Container[] = [{ name: 'c', image: 'web:1' }];
  return { metadata: { name, namespace: 'default', labels }, spec: { containers, ...spec } };
}

export const app = (name: string): LabelSelector => ({ matchLabels: { app: name } });

/** The pod as it is once it has the node. */
export function on(nodeName: string, pod: Pod): Pod {
  return { ...pod, spec: { ...(pod.spec as PodSpec), nodeName } };
}

export function clusterOf(nodes: readonly Node[], placed: readonly Pod[] = []): ClusterCache {
  const cache = createClusterCache();
  for (const node of nodes) cache.setNode(node);
  for (const pod of placed) cache.setPod(pod);
  return cache;
}

/** What one plugin says against each node: the reason, or '' where the pod fits. */
export function refusals(plugin: Plugin, cache: ClusterCache, pod: Pod): Record<string, string> {
  const info = createPodInfo(pod);
  const state: CycleState = new Map();
  const early = plugin.preFilter?.(state, info, cache);
  return Object.fromEntries(
    cache.nodes.map((node) => {
      if (early?.status?.code === 'Skip') return [node.name, ''];
      return [node.name, plugin.filter?.(state, info, node)?.reasons.join() ?? ''];
    }),
  );
}

/** Normalised scores of one plugin by node; 'skip' when it has nothing to say. */
export function scoresOf(
  plugin: Plugin,
  cache: ClusterCache,
  pod: Pod,
): Record<string, number> | 'skip' {
  const info = createPodInfo(pod);
  const state: CycleState = new Map();
  if (plugin.preScore?.(state, info, cache.nodes, cache)?.code === 'Skip') return 'skip';
  const list = cache.nodes.map((node) => ({
    nodeName: node.name,
    score: plugin.score?.(state, info, node, cache) ?? 0,
  }));
  plugin.normalizeScore?.(state, info, list);
  return Object.fromEntries(list.map(({ nodeName, score }) => [nodeName, score]));
}
