import type { Node, Pod } from '#schema/types.ts';
import { createPodInfo, NodeRecord } from '../framework/node-info.ts';
import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import type { Snapshot } from '../framework/plugin.ts';
import { AffinityIndex } from './affinity-index.ts';
import { PodCounters } from './pod-counters.ts';

/**
 * The scheduler's picture of nodes and the pods on them. A pod that was just placed is assumed:
 * counted on its node before the API shows it, until the bind is seen or fails. Everything runs on
 * one thread, so plugins read the live picture while they place one pod.
 */
export interface ClusterCache extends Snapshot {
  setNode(node: Node): void;
  removeNode(name: string): void;
  /** Counts a pod that has a node; replaces what was assumed or known of it. */
  setPod(pod: Pod): void;
  removePod(key: string): void;
  assume(pod: PodInfo, nodeName: string): void;
  /** Takes back an assumed pod whose bind failed; a pod the API showed meanwhile stays. */
  forget(key: string): void;
  isAssumed(key: string): boolean;
}

export function createClusterCache(): ClusterCache {
  const records = new Map<string, NodeRecord>();
  const nodeOfPod = new Map<string, string>();
  const assumed = new Set<string>();
  /** Pods whose node is not known yet; they count once it is. */
  const orphans = new Map<string, Map<string, PodInfo>>();
  const imageCounts = new Map<string, number>();
  let nodes: NodeRecord[] = [];
  const counters = new PodCounters(function* () {
    for (const record of records.values()) {
      for (const pod of record.pods.values()) yield [record.name, pod];
    }
  });
  const affinity = new AffinityIndex();

  const addPod = (record: NodeRecord, pod: PodInfo): void => {
    record.addPod(pod);
    counters.add(record.name, pod);
    affinity.add(record.name, pod);
  };
  const dropPod = (record: NodeRecord, pod: PodInfo): void => {
    record.removePod(pod.key);
    counters.remove(record.name, pod);
    affinity.remove(record.name, pod);
  };

  const countImages = (record: NodeRecord, by: 1 | -1): void => {
    for (const image of record.images.keys()) {
      imageCounts.set(image, (imageCounts.get(image) ?? 0) + by);
    }
  };
  const place = (pod: PodInfo, nodeName: string): void => {
    const record = records.get(nodeName);
    nodeOfPod.set(pod.key, nodeName);
    if (record !== undefined) {
      addPod(record, pod);
      return;
    }
    const waiting = orphans.get(nodeName) ?? new Map<string, PodInfo>();
    waiting.set(pod.key, pod);
    orphans.set(nodeName, waiting);
  };
  const remove = (key: string): void => {
    const nodeName = nodeOfPod.get(key);
    if (nodeName === undefined) return;
    nodeOfPod.delete(key);
    const record = records.get(nodeName);
    const pod = record?.pods.get(key);
    if (record !== undefined && pod !== undefined) dropPod(record, pod);
    orphans.get(nodeName)?.delete(key);
  };

  return {
    get nodes(): readonly NodeInfo[] {
      return nodes;
    },
    node: (name) => records.get(name),
    nodesWithImage: (name) => imageCounts.get(name) ?? 0,
    countPods: (id, namespace, matches) => counters.count(id, namespace, matches),
    get affinityTerms() {
      return affinity.terms;
    },
    setNode(node) {
      const name = node.metadata.name;
      const known = records.get(name);
      if (known !== undefined) {
        countImages(known, -1);
        known.setNode(node);
        countImages(known, 1);
        return;
      }
      const record = new NodeRecord(node);
      records.set(name, record);
      nodes = [...nodes, record];
      countImages(record, 1);
      for (const pod of orphans.get(name)?.values() ?? []) addPod(record, pod);
      orphans.delete(name);
    },
    removeNode(name) {
      const record = records.get(name);
      if (record === undefined) return;
      records.delete(name);
      nodes = nodes.filter((other) => other !== record);
      countImages(record, -1);
      if (record.pods.size === 0) return;
      orphans.set(name, new Map(record.pods));
      for (const pod of orphans.get(name)?.values() ?? []) dropPod(record, pod);
    },
    setPod(pod) {
      const info = createPodInfo(pod);
      assumed.delete(info.key);
      remove(info.key);
      const phase = pod.status?.phase;
      // Finished pods take no room any more.
      if (phase === 'Succeeded' || phase === 'Failed') return;
      place(info, pod.spec?.nodeName ?? '');
    },
    removePod(key) {
      assumed.delete(key);
      remove(key);
    },
    assume(pod, nodeName) {
      assumed.add(pod.key);
      place(pod, nodeName);
    },
    forget(key) {
      if (assumed.delete(key)) remove(key);
    },
    isAssumed: (key) => assumed.has(key),
  };
}
