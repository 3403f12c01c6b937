import { milliValue, parseQuantity, quantityValue } from '#base/quantity.ts';
import { podRequests } from '#schema/pods/mod.ts';
import type { ResourceAmounts } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { compilePodAffinity } from './pod-affinity.ts';
import type { PodAffinity } from './pod-affinity.ts';

/** Requests that scoring counts for a pod that asks for nothing: 100m CPU and 200 MiB. */
const nonZeroCpuMilli = 100;
const nonZeroMemoryBytes = 200 * 1024 * 1024;

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
  readonly images: readonly string[];
  readonly affinity: PodAffinity | undefined;
}

export function createPodInfo(pod: Pod): PodInfo {
  const containers = pod.spec?.containers ?? [];
  const initContainers = pod.spec?.initContainers ?? [];
  const requests = podRequests(pod);
  let missingCpu = 0;
  let missingMemory = 0;
  for (const container of containers) {
    if (container.resources?.requests?.['cpu'] === undefined) missingCpu++;
    if (container.resources?.requests?.['memory'] === undefined) missingMemory++;
  }
  const portHolders =
    pod.spec?.hostNetwork === true ? [...containers, ...initContainers] : containers;
  return {
    pod,
    key: `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`,
    requests,
    scoringCpuMilli: (requests.get('cpu') ?? 0) + missingCpu * nonZeroCpuMilli,
    scoringMemoryBytes: (requests.get('memory') ?? 0) + missingMemory * nonZeroMemoryBytes,
    hostPorts: portHolders.flatMap((container) =>
      (container.ports ?? [])
        .filter((port) => (port.hostPort ?? 0) > 0)
        .map((port) => ({
          ip: (port.hostIP ?? '') === '' ? '0.0.0.0' : (port.hostIP ?? ''),
          protocol: port.protocol ?? 'TCP',
          port: port.hostPort ?? 0,
        })),
    ),
    images: [...initContainers, ...containers].map((container) => container.image ?? ''),
    affinity: compilePodAffinity(pod),
  };
}

/** A node with the sum of its pods. Changed only by the cluster cache; plugins read. */
export interface NodeInfo {
  readonly name: string;
  readonly node: Node;
  readonly allocatable: ResourceAmounts;
  readonly allowedPods: number;
  readonly requested: ReadonlyMap<string, number>;
  readonly scoringCpuMilli: number;
  readonly scoringMemoryBytes: number;
  readonly pods: ReadonlyMap<string, PodInfo>;
  readonly hostPorts: readonly HostPort[];
  /** Bytes by image name, all names of an image. */
  readonly images: ReadonlyMap<string, number>;
  clone(): NodeRecord;
}

/** The cache's own, changeable form of a NodeInfo. */
export class NodeRecord implements NodeInfo {
  node: Node;
  allocatable: ResourceAmounts = new Map();
  allowedPods = 0;
  readonly requested = new Map<string, number>();
  scoringCpuMilli = 0;
  scoringMemoryBytes = 0;
  readonly pods = new Map<string, PodInfo>();
  images: ReadonlyMap<string, number> = new Map();

  constructor(node: Node) {
    this.node = node;
    this.setNode(node);
  }

  get name(): string {
    return this.node.metadata.name;
  }

  get hostPorts(): readonly HostPort[] {
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
    const copy = new NodeRecord(this.node);
    for (const pod of this.pods.values()) copy.addPod(pod);
    return copy;
  }

  addPod(pod: PodInfo): void {
    this.removePod(pod.key);
    this.pods.set(pod.key, pod);
    this.#count(pod, 1);
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
  }
}
