import type { ContainerImage, Node, NodeAddress, NodeStatus } from '#schema/types.ts';
import type { Image, RuntimeStatus, RuntimeVersion } from '../cri/mod.ts';
import type { KubeletConfig } from '../kubelet-config.ts';
import type { MachineInfo, MachineUsage } from '../machine-info.ts';
import { nodeConditions } from './node-conditions.ts';
import type { ConditionFacts } from './node-conditions.ts';
import { nodeAllocatable, nodeCapacity } from './node-resources.ts';

const maxNamesPerImage = 5;

export interface NodeFacts extends ConditionFacts {
  readonly nodeName: string;
  readonly machine: MachineInfo;
  readonly usage: MachineUsage;
  readonly config: KubeletConfig;
  readonly version: RuntimeVersion | undefined;
  readonly runtimeStatus: RuntimeStatus | undefined;
  readonly images: readonly Image[];
  readonly volumesInUse: readonly string[];
  /** What device plugins bring. */
  readonly devices?: DeviceCounts | undefined;
  readonly nowMs: number;
}

/** Numbers of devices by resource. */
export interface DeviceCounts {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
}

export function nodeLabels(
  nodeName: string,
  { architecture }: MachineInfo,
  config: KubeletConfig,
): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': config.hostname === '' ? nodeName : config.hostname,
    'kubernetes.io/os': 'linux',
    ...config.nodeLabels,
  };
}

/** What pods may rely on here and not on nodes of older versions; sorted. */
const declaredFeatures = ['RestartAllContainersOnContainerExits'] as const;

const attachAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach';

/** The Node to create at registration. */
export function newNode(facts: NodeFacts): Node {
  const { nodeName, machine, config } = facts;
  const taints = config.nodeTaints.map((taint) => ({ ...taint }));
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: nodeLabels(nodeName, machine, config),
      annotations: { [attachAnnotation]: 'true', ...config.nodeAnnotations },
    },
    spec: {
      ...(config.providerId === '' ? {} : { providerID: config.providerId }),
      ...(taints.length === 0 ? {} : { taints }),
    },
    status: nodeStatus(facts, {}),
  };
}

/** The part of node.status that the kubelet owns; `known` is the status on the API server. */
export function nodeStatus(facts: NodeFacts, known: NodeStatus): NodeStatus {
  const { machine, usage, config, version, runtimeStatus, nowMs } = facts;
  const { devices } = facts;
  const own = nodeCapacity(machine, usage, config);
  const capacity = { ...others(known.capacity), ...devices?.capacity, ...own };
  const handlers = runtimeStatus?.runtimeHandlers ?? [];
  return {
    capacity,
    allocatable: {
      ...others(known.allocatable),
      ...nodeAllocatable(capacity, config),
      ...devices?.allocatable,
    },
    conditions: nodeConditions(facts, known.conditions ?? [], nowMs),
    addresses: nodeAddresses(facts),
    daemonEndpoints: { kubeletEndpoint: { Port: config.kubeletPort } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion:
        version === undefined ? '' : `${version.runtimeName}://${version.runtimeVersion}`,
      kubeletVersion: config.kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
      ...((machine.swapBytes ?? 0) > 0 ? { swap: { capacity: machine.swapBytes } } : {}),
    },
    images: nodeImages(facts.images, config.nodeStatusMaxImages),
    ...(facts.volumesInUse.length > 0 ? { volumesInUse: [...facts.volumesInUse] } : {}),
    ...(handlers.length > 0 ? { runtimeHandlers: handlers.map(handlerOf) } : {}),
    declaredFeatures: [...declaredFeatures],
    ...(runtimeStatus?.features === undefined
      ? {}
      : {
          features: { supplementalGroupsPolicy: runtimeStatus.features.supplementalGroupsPolicy },
        }),
  };
}

/** Resources that device plugins or users added to the node's status. */
function others(known: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(known ?? {}).filter(([name]) => name.includes('/')));
}

function handlerOf({ name, features }: RuntimeStatus['runtimeHandlers'][number]) {
  return {
    name,
    features: {
      recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false,
      userNamespaces: features?.userNamespaces ?? false,
    },
  };
}

export function nodeAddresses({ nodeName, config }: Pick<NodeFacts, 'nodeName' | 'config'>) {
  const addresses: NodeAddress[] = config.nodeIps.map((address) => ({
    type: 'InternalIP',
    address,
  }));
  const hostname = config.hostname === '' ? nodeName : config.hostname;
  const external = config.externalIps.map((address) => ({ type: 'ExternalIP', address }));
  return [...addresses, ...external, { type: 'Hostname', address: hostname }];
}

/** The largest images, digests first. */
export function nodeImages(images: readonly Image[], maxImages = 50): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.size - a.size)
    .slice(0, maxImages < 0 ? undefined : maxImages)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, maxNamesPerImage),
      sizeBytes: size,
    }));
}
