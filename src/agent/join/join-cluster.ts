import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { renderKubeconfig } from '#client/mod.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import { createEcKey, createSigningRequest } from '#pki/mod.ts';
import type { AgentPaths } from '../paths.ts';
import { ensureNodePassword } from './node-identity.ts';
import { connectSupervisor } from './supervisor-client.ts';
import type { ClientIdentity, SupervisorClient } from './supervisor-client.ts';

const retryMs = 2000;
/** The local server of a fresh start answers within a second: look often at first. */
const firstRetryMs = 100;

/** The cluster's settings that a node takes over; see the server's /v1-k3s/config. */
export interface ClusterConfig {
  readonly HTTPSPort: number;
  readonly ClusterDNSs: readonly string[];
  readonly ClusterDomain: string;
  readonly FlannelBackend: string;
  readonly DisableKubeProxy: boolean;
  readonly DisableNPC: boolean;
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodePortRange: { readonly first: number; readonly last: number };
}

export interface JoinOptions {
  readonly serverUrl: string;
  readonly token: string;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly paths: AgentPaths;
  /** Folder of the node's password; k3s' own when absent. */
  readonly identityDir?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Joins as k3s does: validate the token, take the cluster's settings, send a signing request for
 * each certificate, write authorities, certificates and kubeconfigs. Repeats while the server
 * cannot be reached; a refused token ends it.
 */
export async function joinCluster(options: JoinOptions): Promise<ClusterConfig> {
  const { paths, log, clock, signal } = options;
  const identity = await readIdentity(paths);
  let delayMs = firstRetryMs;
  let lastMessage = '';
  for (;;) {
    try {
      const supervisor = await connectSupervisor({
        serverUrl: options.serverUrl,
        token: options.token,
        identity,
      });
      const config = readConfig(await supervisor.get('/v1-k3s/config'));
      await fetchCertificates(supervisor, options);
      return config;
    } catch (error) {
      if (hasCode(error, 'InvalidToken') || hasCode(error, 'Usage')) throw error;
      const message = messageOf(error);
      if (message !== lastMessage) log.info('Waiting to join the cluster', { reason: message });
      lastMessage = message;
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 1.5, retryMs);
    }
  }
}

async function readIdentity(paths: AgentPaths): Promise<ClientIdentity | undefined> {
  const certificatePem = await readFileIfExists(paths.file('client-kubelet.crt'));
  const keyPem = await readFileIfExists(paths.file('client-kubelet.key'));
  if (certificatePem === undefined || keyPem === undefined) return undefined;
  return { certificatePem, keyPem };
}

async function fetchCertificates(
  supervisor: SupervisorClient,
  options: JoinOptions,
): Promise<void> {
  const { paths, nodeName, nodeIps, random } = options;
  await writeFileAtomic(paths.serverCa, supervisor.serverCaPem);
  await writeFileAtomic(paths.clientCa, await supervisor.get('/v1-k3s/client-ca.crt'));
  const password = await ensureNodePassword(random, options.identityDir);
  const headers = {
    'k3s-Node-Name': nodeName,
    'k3s-Node-Password': password,
    'k3s-Node-IP': nodeIps.join(','),
  };
  const names = ['serving-kubelet', 'client-kubelet', 'client-kube-proxy', 'client-k3s-controller'];
  for (const name of names) {
    const keyPath = paths.file(`${name}.key`);
    let key = await readFileIfExists(keyPath);
    if (key === undefined) {
      key = await createEcKey();
      await writeFileAtomic(keyPath, key);
    }
    const certificate = await supervisor.requestCertificate(
      `/v1-k3s/${name}.crt`,
      headers,
      await createSigningRequest(key),
    );
    await writeFileAtomic(paths.file(`${name}.crt`), certificate);
  }
}

/** Writes the three kubeconfigs of an agent; `server` is where its API server answers. */
export async function writeAgentKubeconfigs(paths: AgentPaths, server: string): Promise<void> {
  const kubeconfigs: [string, string][] = [
    [paths.kubeletKubeconfig, 'client-kubelet'],
    [paths.kubeProxyKubeconfig, 'client-kube-proxy'],
    [paths.controllerKubeconfig, 'client-k3s-controller'],
  ];
  for (const [path, certificate] of kubeconfigs) {
    const content = renderKubeconfig({
      server,
      caFile: paths.serverCa,
      certificateFile: paths.file(`${certificate}.crt`),
      keyFile: paths.file(`${certificate}.key`),
    });
    if ((await readFileIfExists(path)) !== content) await writeFileAtomic(path, content);
  }
}

interface GoNetwork {
  readonly IP: string;
  readonly Mask: string;
}

function readConfig(text: string): ClusterConfig {
  const config = JSON.parse(text) as Omit<ClusterConfig, 'clusterCidrs' | 'serviceCidrs'> & {
    readonly ClusterIPRanges: readonly GoNetwork[];
    readonly ServiceIPRanges: readonly GoNetwork[];
    readonly ServiceNodePortRange: { readonly Base: number; readonly Size: number };
  };
  const ports = config.ServiceNodePortRange;
  return {
    ...config,
    clusterCidrs: config.ClusterIPRanges.map(cidrText),
    serviceCidrs: config.ServiceIPRanges.map(cidrText),
    nodePortRange: { first: ports.Base, last: ports.Base + ports.Size - 1 },
  };
}

/** An IP network in Go's JSON (address text, mask in base64) as a CIDR text. */
function cidrText(network: GoNetwork): string {
  let prefixLength = 0;
  for (const byte of Buffer.from(network.Mask, 'base64')) {
    prefixLength += byte.toString(2).replaceAll('0', '').length;
  }
  return `${network.IP}/${prefixLength}`;
}
