import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createKubeconfigClient } from '#client/mod.ts';
import { prepareDataDirectory } from '#host/data-directory.ts';
import { endWithParent } from '#host/libc.ts';
import { claimMachine } from './claim-machine.ts';
import { joinCluster, writeAgentKubeconfigs } from './join/join-cluster.ts';
import { ensureNodeId } from './join/node-identity.ts';
import { startNodeNetwork } from './node-network.ts';
import { createNodeKubelet } from './node-kubelet.ts';
import { startKubeletServer } from './node-kubelet-server.ts';
import { agentPaths } from './paths.ts';
import { prepareMachine } from './prepare-machine.ts';
import { chooseResolvConf } from './resolv-conf.ts';
import { startRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { watchMachineShutdown } from './node-shutdown.ts';
import type { AgentSettings } from './settings.ts';
import { kubeletSettings, shownConfiguration } from '#kubelet/configuration/mod.ts';

export interface RunAgentOptions {
  readonly settings: AgentSettings;
  /** As the Node object and `--version` show it. */
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs a node until the signal is aborted: runtime and joining side by side, then network and
 * kubelet. At the end containers go on running under their shims; a later start adopts them.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { settings, environment, clock, random, log, signal } = options;
  // An agent must not outlive its server: the next one would start a second kubelet.
  if (settings.isServerNode) endWithParent();
  const paths = agentPaths(settings.dataDir);
  await prepareDataDirectory(settings.dataDir, [{ path: paths.agent, mode: 0o755 }]);
  const nodeName = settings.withNodeId
    ? `${settings.nodeName}-${await ensureNodeId(random)}`
    : settings.nodeName;
  log.info('Starting k3ts agent', { node: nodeName, server: settings.serverUrl });
  const release = await claimMachine({ clock, signal });
  const starting = startRuntime({ settings, paths, environment, clock, log, signal });
  const joining = joinCluster({
    serverUrl: settings.serverUrl,
    token: settings.token,
    nodeName,
    nodeIps: settings.nodeIps,
    paths,
    clock,
    random,
    log,
    signal,
  });
  // What fails early is awaited, and told, further down.
  starting.catch(() => undefined);
  joining.catch(() => undefined);
  const hasIpv6 = settings.nodeIps.some((ip) => ip.includes(':'));
  await prepareMachine({ hasIpv6, log });
  let runtime: Runtime | undefined;
  try {
    const resolvConf = await chooseResolvConf({
      given: settings.resolvConf ?? givenResolvConf(settings),
      paths,
      log,
    });
    const [config, started] = await Promise.all([joining, starting]);
    runtime = started;
    await writeAgentKubeconfigs(paths, settings.serverUrl);
    const kubeconfigs = [paths.kubeletKubeconfig, paths.kubeProxyKubeconfig];
    const [nodeClient, proxyClient] = await Promise.all(
      kubeconfigs.map((path) => createKubeconfigClient(path, { userAgent: 'k3ts', clock, log })),
    );
    if (nodeClient === undefined || proxyClient === undefined) return;
    const common = { settings, nodeName, config, paths, resolvConf, clock, random, log };
    const kubelet = await createNodeKubelet({
      ...common,
      client: nodeClient,
      cri: started.cri,
      imagePath: started.imagePath,
      imageSource: started.imageSource,
      version: options.version,
      signal,
    });
    await startNodeNetwork({ ...common, nodeClient, proxyClient, signal });
    const kubeletServer = await startKubeletServer({
      ...common,
      kubelet,
      client: nodeClient,
      cri: started.cri,
      imagePath: started.imagePath,
      hasIpv6,
      configuration: () =>
        shownConfiguration(settings.kubelet, {
          clusterDNS: config.ClusterDNSs,
          clusterDomain: config.ClusterDomain,
          staticPodPath: paths.staticPods,
          resolvConf,
          providerID: `k3s://${nodeName}`,
          evictionHard: { 'imagefs.available': '5%', 'nodefs.available': '5%' },
        }),
    });
    try {
      await kubelet.start(signal);
      log.info('k3ts agent is up and running', { node: nodeName });
      const watching = watchMachineShutdown({
        kubelet,
        hasPeriods: (kubeletSettings(settings.kubelet).shutdownPeriods ?? []).length > 0,
        searchPath: environment['PATH'] ?? '',
        clock,
        log,
        signal,
      });
      await kubelet.done();
      await watching;
    } finally {
      await kubeletServer.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    log.debug('Stopped while starting', { error: messageOf(error) });
  } finally {
    runtime ??= await starting.catch(() => undefined);
    await runtime?.stop();
    release();
  }
}

/** resolvConf of the kubelet's configuration, when it is there. */
function givenResolvConf({ kubelet }: AgentSettings): string | undefined {
  const { resolvConf } = kubelet.given;
  return typeof resolvConf === 'string' && resolvConf !== '' ? resolvConf : undefined;
}
