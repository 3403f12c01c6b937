import { milliValue, parseQuantity, quantityValue } from '#base/quantity.ts';
import { podRequestsInUse } from '#schema/pods/mod.ts';
import type { ResourceAmounts } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { compilePodAffinity } from './pod-affinity.ts';
import type { PodAffinity } from './pod-affinity.ts';

/** Requests that scoring counts for a pod that asks for nothing: 100m CPU and 200 MiB. */
const nonZeroCpuMilli = 100;
const nonZeroMemoryBytes = 200 * 1024 * 1024;

const noPorts: readonly HostPort[] = [];

/** A port of the node that a pod takes. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with what placing it needs to know, worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly key: string;
  readonly requests: ResourceAmounts;
  /** cpu (milli) and memory (bytes) with the scoring minimum for containers that ask for nothing. */
  readonly scoringCpuMilli: number;
  readonly scoringMemoryBytes: number;
  readonly hostPorts: readonly HostPort[];
  /** Names as nodes list them: with a tag. */
  readonly images: readonly string[];
  readonly affinity: PodAffinity | undefined;
  /** Equal for pods that every node answers alike; worked out when first asked for. */
  readonly shape: string;
}

export function createPodInfo(pod: Pod): PodInfo {
  const containers = pod.spec?.containers ?? [];
  const initContainers = pod.spec?.initContainers ?? [];
  const requests = podRequestsInUse(pod);
  let missingCpu = 0;
  let missingMemory = 0;
  for (const container of containers) {
    const { limits, requests: own = limits } = container.resources ?? {};
    if (own?.['cpu'] === undefined) missingCpu++;
    if (own?.['memory'] === undefined) missingMemory++;
  }
  const podLevel = pod.spec?.resources?.requests;
  if (podLevel?.['cpu'] !== undefined) missingCpu = 0;
  if (podLevel?.['memory'] !== undefined) missingMemory = 0;
  // Init containers that end hold their ports for nobody.
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  let shape: string | undefined;
  return {
    pod,
    key: `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`,
    requests,
    scoringCpuMilli: (requests.get('cpu') ?? 0) + missingCpu * nonZeroCpuMilli,
    scoringMemoryBytes: (requests.get('memory') ?? 0) + missingMemory * nonZeroMemoryBytes,
    hostPorts: [...sidecars, ...containers].flatMap((container) =>
      (container.ports ?? [])
        .filter((port) => (port.hostPort ?? 0) > 0)
        .map((port) => ({
          ip: (port.hostIP ?? '') === '' ? '0.0.0.0' : (port.hostIP ?? ''),
          protocol: port.protocol ?? 'TCP',
          port: port.hostPort ?? 0,
        })),
    ),
    images: [...initContainers, ...containers].map(({ image = '' }) => normalizeImage(image)),
    affinity: compilePodAffinity(pod),
    get shape() {
      shape ??= podShape(this);
      return shape;
    },
  };
}

/** The same pod in a newer state that changes nothing of what was worked out. */
export function withState(info: PodInfo, pod: Pod): PodInfo {
  const { key, requests, scoringCpuMilli, scoringMemoryBytes, hostPorts, images, affinity } = info;
  return {
    pod,
    key,
    requests,
    scoringCpuMilli,
    scoringMemoryBytes,
    hostPorts,
    images,
    affinity,
    get shape() {
      return info.shape;
    },
  };
}

/** Node status lists full names; a name without a tag means :latest. */
export function normalizeImage(image: string): string {
  const lastPart = image.slice(image.lastIndexOf('/') + 1);
  return lastPart.includes(':') || lastPart.includes('@') ? image : `${image}:latest`;
}

/**
 * Everything of a pod that plugins with `answersByNode` may look at: its requests, host ports and
 * images, the node it names, nodeSelector, node affinity, tolerations and what the node must be
 * able to do. Pods of one controller share it.
 */
function podShape(info: PodInfo): string {
  const { spec } = info.pod;
  return JSON.stringify([
    [...info.requests],
    info.scoringCpuMilli,
    info.scoringMemoryBytes,
    info.hostPorts,
    info.images,
    spec?.nodeName,
    spec?.nodeSelector,
    spec?.affinity?.nodeAffinity,
    spec?.tolerations,
  ]);
}

/** A node with the sum of its pods. Changed only by the cluster cache; plugins read. */
export interface NodeInfo {
  readonly name: string;
  /** Index of the node in tables by node; a slot is used again when its node is gone. */
  readonly slot: number;
  /** Another number after each change of the node or its pods; never one it had before. */
  readonly version: number;
  readonly node: Node;
  readonly allocatable: ResourceAmounts;
  readonly allowedPods: number;
  readonly requested: ReadonlyMap<string, number>;
  readonly scoringCpuMilli: number;
  readonly scoringMemoryBytes: number;
  readonly pods: ReadonlyMap<string, PodInfo>;
  readonly hostPorts: readonly HostPort[];
  /** Of the least important pod on the node; Infinity without pods. */
  readonly lowestPriority: number;
  /** Bytes by image name, all names of an image. */
  readonly images: ReadonlyMap<string, number>;
  clone(): NodeRecord;
}

/** The cache's own, changeable form of a NodeInfo. */
export class NodeRecord implements NodeInfo {
  node: Node;
  readonly name: string;
  slot = -1;
  version = 0;
  allocatable: ResourceAmounts = new Map();
  allowedPods = 0;
  readonly requested = new Map<string, number>();
  scoringCpuMilli = 0;
  scoringMemoryBytes = 0;
  readonly pods = new Map<string, PodInfo>();
  images: ReadonlyMap<string, number> = new Map();
  #podsWithPorts = 0;
  /** Undefined after the least important pod left: looked up when next asked for. */
  #lowestPriority: number | undefined = Number.POSITIVE_INFINITY;

  /** `like` is a record of the same node, whose amounts need not be read again. */
  constructor(node: Node, like?: NodeRecord) {
    this.node = node;
    this.name = node.metadata.name;
    if (like === undefined) {
      this.setNode(node);
      return;
    }
    this.allowedPods = like.allowedPods;
    this.allocatable = like.allocatable;
    this.images = like.images;
  }

  get lowestPriority(): number {
    if (this.#lowestPriority === undefined) {
      let lowest = Number.POSITIVE_INFINITY;
      for (const { pod } of this.pods.values()) lowest = Math.min(lowest, pod.spec?.priority ?? 0);
      this.#lowestPriority = lowest;
    }
    return this.#lowestPriority;
  }

  get hostPorts(): readonly HostPort[] {
    if (this.#podsWithPorts === 0) return noPorts;
    return [...this.pods.values()].flatMap((pod) => pod.hostPorts);
  }

  setNode(node: Node): void {
    this.node = node;
    const allocatable = new Map<string, number>();
    for (const [name, text] of Object.entries(node.status?.allocatable ?? {})) {
      const quantity = parseQuantity(text);
      allocatable.set(name, name === 'cpu' ? milliValue(quantity) : quantityValue(quantity));
    }
    this.allowedPods = allocatable.get('pods') ?? 0;
    this.allocatable = allocatable;
    this.images = new Map(
      (node.status?.images ?? []).flatMap((image) =>
        (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const),
      ),
    );
  }

  /** A node to try things out on: its pods may be added and removed without anybody noticing. */
  clone(): NodeRecord {
    const copy = new NodeRecord(this.node, this);
    for (const [key, pod] of this.pods) copy.pods.set(key, pod);
    for (const [name, amount] of this.requested) copy.requested.set(name, amount);
    copy.scoringCpuMilli = this.scoringCpuMilli;
    copy.scoringMemoryBytes = this.scoringMemoryBytes;
    copy.#podsWithPorts = this.#podsWithPorts;
    copy.#lowestPriority = this.#lowestPriority;
    return copy;
  }

  addPod(pod: PodInfo): void {
    this.removePod(pod.key);
    this.pods.set(pod.key, pod);
    this.#count(pod, 1);
  }

  /** Takes a newer state of a pod that counts the same. */
  refreshPod(pod: PodInfo): void {
    this.pods.set(pod.key, pod);
  }

  removePod(key: string): void {
    const pod = this.pods.get(key);
    if (pod === undefined) return;
    this.pods.delete(key);
    this.#count(pod, -1);
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    for (const [name, value] of pod.requests) {
      this.requested.set(name, (this.requested.get(name) ?? 0) + sign * value);
    }
    this.scoringCpuMilli += sign * pod.scoringCpuMilli;
    this.scoringMemoryBytes += sign * pod.scoringMemoryBytes;
    if (pod.hostPorts.length > 0) this.#podsWithPorts += sign;
    const priority = pod.pod.spec?.priority ?? 0;
    if (this.#lowestPriority === undefined) return;
    if (sign > 0) this.#lowestPriority = Math.min(this.#lowestPriority, priority);
    else if (priority <= this.#lowestPriority) this.#lowestPriority = undefined;
  }
}
