import type { Node, Pod } from '#schema/types.ts';
import { createPodInfo, NodeRecord, withState } from '../framework/node-info.ts';
import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import type { Snapshot } from '../framework/plugin.ts';
import { interleaveZones, zoneOf } from './zone-order.ts';
import { AffinityIndex } from './affinity-index.ts';
import { countsAlike } from './counts-alike.ts';
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
  /** Pods on known nodes, and those of them that are only assumed. */
  readonly podCount: number;
  readonly assumedCount: number;
}

export function createClusterCache(): ClusterCache {
  const records = new Map<string, NodeRecord>();
  const nodeOfPod = new Map<string, string>();
  const assumed = new Set<string>();
  /** Pods whose node is not known yet; they count once it is. */
  const orphans = new Map<string, Map<string, PodInfo>>();
  const imageCounts = new Map<string, number>();
  const freeSlots: number[] = [];
  let slots = 0;
  let versions = 0;
  let generation = 0;
  /** Undefined after nodes came or went: put in order when next asked for. */
  let ordered: readonly NodeRecord[] | undefined = [];
  const counters = new PodCounters(function* () {
    for (const record of records.values()) {
      for (const pod of record.pods.values()) yield [record.name, pod];
    }
  });
  const affinity = new AffinityIndex();

  const touch = (record: NodeRecord): void => {
    record.version = ++versions;
  };
  const addPod = (record: NodeRecord, pod: PodInfo): void => {
    record.addPod(pod);
    touch(record);
    counters.add(record.name, pod);
    affinity.add(record.name, pod);
  };
  const dropPod = (record: NodeRecord, pod: PodInfo): void => {
    record.removePod(pod.key);
    touch(record);
    counters.remove(record.name, pod);
    affinity.remove(record.name, pod);
  };

  const countImages = (images: ReadonlyMap<string, number>, by: 1 | -1): void => {
    for (const image of images.keys()) {
      const count = (imageCounts.get(image) ?? 0) + by;
      if (count === 0) imageCounts.delete(image);
      else imageCounts.set(image, count);
    }
  };
  /** Takes over a state that counts like the known one: most changes are of a pod's status. */
  const refresh = (pod: Pod, key: string, wasAssumed: boolean): boolean => {
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeOfPod.get(key) !== nodeName) return false;
    const record = records.get(nodeName);
    const known = record?.pods.get(key);
    if (record === undefined || known === undefined) return false;
    if (!countsAlike(known.pod, pod, wasAssumed)) return false;
    record.refreshPod(withState(known, pod));
    return true;
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
      ordered ??= interleaveZones([...records.values()]);
      return ordered;
    },
    get generation() {
      return generation;
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
        const { images } = known;
        const zone = zoneOf(known.node);
        known.setNode(node);
        touch(known);
        if (zoneOf(node) !== zone) ordered = undefined;
        if (areSameImages(images, known.images)) return;
        countImages(images, -1);
        countImages(known.images, 1);
        generation++;
        return;
      }
      const record = new NodeRecord(node);
      record.slot = freeSlots.pop() ?? slots++;
      touch(record);
      records.set(name, record);
      ordered = undefined;
      generation++;
      countImages(record.images, 1);
      for (const pod of orphans.get(name)?.values() ?? []) addPod(record, pod);
      orphans.delete(name);
    },
    removeNode(name) {
      const record = records.get(name);
      if (record === undefined) return;
      records.delete(name);
      freeSlots.push(record.slot);
      ordered = undefined;
      generation++;
      countImages(record.images, -1);
      if (record.pods.size === 0) return;
      orphans.set(name, new Map(record.pods));
      for (const pod of orphans.get(name)?.values() ?? []) dropPod(record, pod);
    },
    setPod(pod) {
      const key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
      const wasAssumed = assumed.delete(key);
      const phase = pod.status?.phase;
      const isFinished = phase === 'Succeeded' || phase === 'Failed';
      if (!isFinished && refresh(pod, key, wasAssumed)) return;
      remove(key);
      // Finished pods take no room any more.
      if (!isFinished) place(createPodInfo(pod), pod.spec?.nodeName ?? '');
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
    get podCount() {
      return this.nodes.reduce((sum, { pods }) => sum + pods.size, 0);
    },
    get assumedCount() {
      return assumed.size;
    },
  };
}

function areSameImages(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): boolean {
  if (before.size !== after.size) return false;
  for (const [name, size] of before) if (after.get(name) !== size) return false;
  return true;
}
