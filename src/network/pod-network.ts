import { runCommand } from '#host/process.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { formatIp, networkAddress, parseCidr } from '#base/cidr.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createProblemLog } from '#base/problem-log.ts';
import { resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { Node, NodeCondition } from '#schema/types.ts';
import { renderCniConfig, writeCniConfig } from './cni-config.ts';
import { ensureMasquerade } from './flannel/masquerade.ts';
import { followPeers } from './flannel/peer-sync.ts';
import { renderSubnetFile } from './flannel/subnet-file.ts';
import { ensureVxlanDevice, vxlanOverheadBytes } from './flannel/vxlan-device.ts';

const retryMs = 5000;
const defaultMtu = 1500;

export interface PodNetworkOptions {
  readonly client: Client;
  readonly nodeName: string;
  /** All nodes, or at least this one: then pods of other nodes cannot be reached. */
  readonly nodes: Informer<Node>;
  /** `none` leaves CNI configuration and devices to the user. */
  readonly backend: 'vxlan' | 'none';
  readonly clusterCidrs: readonly string[];
  readonly nodeIp: string;
  /** Interface of the node address. */
  readonly interfaceName: string;
  readonly cniConfigDir: string;
  readonly subnetFile: string;
  readonly netConfFile: string;
  readonly hasBandwidthPlugin: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface PodNetwork {
  /** Resolves when pods can get addresses on this node. */
  readonly ready: Promise<void>;
}

/**
 * Waits for the node's podCIDR, then writes the CNI configuration and sets up flannel. What fails
 * is logged and tried again; the CNI configuration comes first, because pods wait for it alone.
 */
export function startPodNetwork(options: PodNetworkOptions): PodNetwork {
  const { nodes, nodeName, log, clock, signal } = options;
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  if (options.backend === 'none') {
    resolve();
    return { ready };
  }
  let isStarted = false;
  const problems = createProblemLog({
    log,
    message: 'Cannot set up the pod network; trying again',
    recovered: 'The pod network is set up',
  });
  const start = async (podCidrs: readonly string[]): Promise<void> => {
    for (;;) {
      try {
        await setUp(options, podCidrs, resolve);
        problems.worked();
        return;
      } catch (error) {
        problems.failed(error);
        await clock.sleep(retryMs, signal);
      }
    }
  };
  const see = (node: Node): void => {
    if (node.metadata.name !== nodeName || isStarted) return;
    const { podCIDR, podCIDRs } = node.spec ?? {};
    const cidrs = podCIDRs ?? (podCIDR === undefined ? [] : [podCIDR]);
    if (cidrs.length === 0) return;
    isStarted = true;
    start(cidrs).catch((error: unknown) => {
      if (!signal.aborted) log.error('Pod network ended', { error: messageOf(error) });
    });
  };
  nodes.addHandler({ onAdd: see, onUpdate: (_before, node) => see(node) });
  return { ready };
}

async function setUp(
  options: PodNetworkOptions,
  podCidrs: readonly string[],
  onReady: () => void,
): Promise<void> {
  const { clusterCidrs, nodeIp, interfaceName, log } = options;
  const mtu = (await interfaceMtu(interfaceName)) - vxlanOverheadBytes;
  const { hasBandwidthPlugin: hasBandwidth } = options;
  const config = renderCniConfig({ podCidrs, clusterCidrs, mtu, hasBandwidth });
  await writeCniConfig(options.cniConfigDir, config);
  const subnet = renderSubnetFile({ clusterCidrs, podCidrs, mtu });
  await writeFileAtomic(options.subnetFile, subnet, 0o644);
  await writeFileAtomic(options.netConfFile, renderNetConf(clusterCidrs), 0o644);
  await ensureMasquerade(clusterCidrs, podCidrs);
  onReady();
  const podCidrV4 = podCidrs.find((cidr) => !cidr.includes(':'));
  if (podCidrV4 === undefined) return;
  const address = `${formatIp(networkAddress(parseCidr(podCidrV4)))}/32`;
  const device = await ensureVxlanDevice({ nodeIp, interfaceName, address, mtu });
  followPeers({ ...options, device: device.name });
  await publish(options, device.macAddress);
  log.info('Flannel is running', { device: device.name, podCidrs: podCidrs.join(), mtu });
}

/** flannel's own configuration file, for tools that look at it. */
function renderNetConf(clusterCidrs: readonly string[]): string {
  const v4 = clusterCidrs.find((cidr) => !cidr.includes(':'));
  const v6 = clusterCidrs.find((cidr) => cidr.includes(':'));
  const config = {
    Network: v4 ?? '0.0.0.0/0',
    EnableIPv6: v6 !== undefined,
    EnableIPv4: v4 !== undefined,
    IPv6Network: v6 ?? '::/0',
    Backend: { Type: 'vxlan' },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Tells the other nodes how to reach this one, and the cluster that its network is up. */
async function publish(options: PodNetworkOptions, macAddress: string): Promise<void> {
  const { client, nodeName, nodeIp, clock } = options;
  const annotations = {
    'flannel.alpha.coreos.com/backend-data': JSON.stringify({ VNI: 1, VtepMAC: macAddress }),
    'flannel.alpha.coreos.com/backend-type': 'vxlan',
    'flannel.alpha.coreos.com/kube-subnet-manager': 'true',
    'flannel.alpha.coreos.com/public-ip': nodeIp,
  };
  const body = { metadata: { annotations } };
  await client.patch(resources.nodes, nodeName, { type: 'strategic', body });
  const time = formatTime(clock.now());
  const condition: NodeCondition = {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'FlannelIsUp',
    message: 'Flannel is running on this node',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  };
  await client.patch(
    resources.nodes,
    nodeName,
    { type: 'strategic', body: { status: { conditions: [condition] } } },
    { subresource: 'status' },
  );
}

async function interfaceMtu(name: string): Promise<number> {
  const { stdout } = await runCommand({
    command: 'ip',
    args: ['-json', 'link', 'show', 'dev', name],
    timeoutMs: 10_000,
  });
  return (JSON.parse(stdout) as { mtu?: number }[])[0]?.mtu ?? defaultMtu;
}
