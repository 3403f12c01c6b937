import { formatMicroTime, formatTime } from '#base/clock.ts';
import type { Lease, Node, NodeStatus } from '#schema/types.ts';

/** As a big machine of a cloud. */
const room = { cpu: '32', memory: '128Gi', pods: '250', 'ephemeral-storage': '100Gi' };
const zones = 3;

export const fakeNodeLabel = 'k3ts.io/fake-node';
export const leaseNamespace = 'kube-node-lease';
const leaseSeconds = 40;

export function fakeNodeName(number: number): string {
  return `fake-${number}`;
}

/** The address of a fake node or of the pods on it: never one that anybody can reach. */
export function fakeAddress(number: number, pod = 0): string {
  return `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${(number + pod) & 255}`;
}

/** The object as a kubelet would register it; zones take turns. */
export function fakeNode(number: number, version: string, nowMs: number): Node {
  const name = fakeNodeName(number);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : 'arm64',
        'topology.kubernetes.io/zone': `fake-${number % zones}`,
        [fakeNodeLabel]: 'true',
      },
    },
    spec: {},
    status: fakeStatus(number, version, nowMs),
  };
}

function fakeStatus(number: number, version: string, nowMs: number): NodeStatus {
  const time = formatTime(nowMs);
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  });
  return {
    capacity: room,
    allocatable: room,
    addresses: [
      { type: 'InternalIP', address: fakeAddress(number) },
      { type: 'Hostname', address: fakeNodeName(number) },
    ],
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'fake node'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'fake node'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'fake node'),
      condition('Ready', 'True', 'KubeletReady', 'fake node is posting ready status'),
    ],
    declaredFeatures: ['RestartAllContainersOnContainerExits'],
    nodeInfo: {
      architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
      bootID: '',
      containerRuntimeVersion: 'fake://1.0',
      kernelVersion: '',
      kubeProxyVersion: '',
      kubeletVersion: version,
      machineID: '',
      operatingSystem: 'linux',
      osImage: 'fake',
      systemUUID: '',
    },
  };
}

/** The lease by which a node shows that it lives. */
export function fakeLease(nodeName: string, nowMs: number): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: nodeName, namespace: leaseNamespace },
    spec: {
      holderIdentity: nodeName,
      leaseDurationSeconds: leaseSeconds,
      renewTime: formatMicroTime(nowMs),
    },
  };
}
