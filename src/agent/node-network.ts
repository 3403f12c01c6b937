import { clusterDnsPort } from '#addons/mod.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import { parseResolvConf, startDnsServer } from '#dns/mod.ts';
import { readFileIfExists } from '#host/atomic-file.ts';
import { listAddresses } from '#host/interfaces.ts';
import { findExecutable } from '#host/process.ts';
import { startPodNetwork } from '#network/mod.ts';
import { startServiceProxy } from '#proxy/mod.ts';
import type { EndpointSlice, Node, Service } from '#schema/types.ts';
import { findCniDirectories } from './containerd/mod.ts';
import type { ClusterConfig } from './join/join-cluster.ts';
import type { AgentPaths } from './paths.ts';
import type { AgentSettings } from './settings.ts';

export interface NodeNetworkOptions {
  readonly settings: AgentSettings;
  readonly nodeName: string;
  readonly config: ClusterConfig;
  readonly paths: AgentPaths;
  readonly resolvConf: string;
  /** Acts as this node. */
  readonly nodeClient: Client;
  /** Acts as system:kube-proxy. */
  readonly proxyClient: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Starts pod network, service proxy and DNS of this node, over shared informers. */
export async function startNodeNetwork(options: NodeNetworkOptions): Promise<void> {
  const { settings, nodeName, config, paths, clock, random, log, signal } = options;
  const common = { clock, random, log, signal };
  const informers = createInformerFactory({ ...common, client: options.proxyClient });
  const nodeIp = settings.nodeIps.find((ip) => !ip.includes(':')) ?? settings.nodeIps[0] ?? '';
  const interfaceName =
    settings.flannelInterface ??
    listAddresses().find(({ address }) => address === nodeIp)?.interfaceName ??
    'lo';
  startPodNetwork({
    ...common,
    client: options.nodeClient,
    nodeName,
    // A kubelet may only look at its own node; the proxy may look at all.
    nodes: informers.informer<Node>(resources.nodes),
    backend: config.FlannelBackend === 'none' ? 'none' : 'vxlan',
    clusterCidrs: config.clusterCidrs,
    nodeIp,
    interfaceName,
    cniConfigDir: paths.cniConfig,
    subnetFile: '/run/flannel/subnet.env',
    netConfFile: paths.flannelConfig,
    hasBandwidthPlugin: hasCniPlugin('bandwidth'),
  });
  const services = informers.informer<Service>(resources.services);
  const endpointSlices = informers.informer<EndpointSlice>(resources.endpointSlices);
  await startDns({ ...options, services, endpointSlices });
  if (!config.DisableKubeProxy) {
    startServiceProxy({
      ...common,
      services,
      endpointSlices,
      nodeName,
      clusterCidrs: config.clusterCidrs,
    });
  }
  informers.start();
}

/** DNS that cannot listen is logged and left out: pods by address still work. */
async function startDns(
  options: NodeNetworkOptions & {
    services: Parameters<typeof startDnsServer>[0]['services'];
    endpointSlices: Parameters<typeof startDnsServer>[0]['endpointSlices'];
  },
): Promise<void> {
  const { settings, config, clock, random, log, signal } = options;
  const { nameservers } = parseResolvConf((await readFileIfExists(options.resolvConf)) ?? '');
  const own = listAddresses().map(({ address }) =>
    address.includes(':') ? `${address}/128` : `${address}/32`,
  );
  try {
    const server = await startDnsServer({
      services: options.services,
      endpointSlices: options.endpointSlices,
      domain: config.ClusterDomain,
      nameservers,
      addresses: settings.nodeIps,
      port: clusterDnsPort,
      allowedCidrs: [...config.clusterCidrs, ...own, '127.0.0.0/8'],
      clock,
      random,
      log,
    });
    signal.addEventListener('abort', () => void server.close(), { once: true });
  } catch (error) {
    log.error('Cluster DNS is off on this node', { error: messageOf(error) });
  }
}

function hasCniPlugin(name: string): boolean {
  return findExecutable(name, findCniDirectories([]).join(':')) !== undefined;
}
