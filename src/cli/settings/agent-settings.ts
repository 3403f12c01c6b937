import { join } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import type { AgentSettings } from '#agent/mod.ts';
import { readKubeletConfiguration } from '#kubelet/configuration/mod.ts';
import type { ServerSettings } from '#server/mod.ts';
import { booleanFlag, integerFlag, listFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { readDataDir } from './data-dir.ts';
import { checkAddresses, checkPort, checkReachableAddresses } from './networks.ts';
import { readNodeIps, readNodeName } from './node.ts';
import { readToken } from './token.ts';

/** Checks the flags of `k3ts agent` as a whole; throws `Usage` with one line for what is wrong. */
export async function readAgentSettings(values: FlagValues): Promise<AgentSettings> {
  const serverUrl = stringFlag(values, 'server');
  if (serverUrl === undefined) throw new K3tsError('Usage', '--server is required');
  if (!URL.canParse(serverUrl) || !serverUrl.startsWith('https://')) {
    throw new K3tsError('Usage', `invalid --server "${serverUrl}": https://HOST:6443 expected`);
  }
  const token = readToken(values, 'token');
  if (token === '') throw new K3tsError('Usage', '--token is required');
  const bindAddress = stringFlag(values, 'bind-address') ?? '0.0.0.0';
  checkAddresses('bind-address', [bindAddress]);
  return { ...(await readNodeSettings(values)), serverUrl, token, bindAddress };
}

/** The settings of the agent that a server starts beside itself; the server adds the token. */
export async function readLocalAgentSettings(
  values: FlagValues,
  server: ServerSettings,
): Promise<AgentSettings> {
  return {
    ...(await readNodeSettings(values)),
    serverUrl: `https://127.0.0.1:${server.httpsPort}`,
    token: '',
    bindAddress: server.bindAddress,
    isServerNode: true,
  };
}

async function readNodeSettings(
  values: FlagValues,
): Promise<Omit<AgentSettings, 'serverUrl' | 'token' | 'bindAddress'>> {
  const dataDir = readDataDir(values);
  return {
    dataDir,
    debug: booleanFlag(values, 'debug'),
    nodeName: readNodeName(values),
    withNodeId: booleanFlag(values, 'with-node-id'),
    nodeLabels: checkLabels(listFlag(values, 'node-label')),
    nodeTaints: checkTaints(listFlag(values, 'node-taint')),
    nodeIps: await readNodeIps(values),
    nodeExternalIps: checkReachableAddresses(
      'node-external-ip',
      listFlag(values, 'node-external-ip'),
    ),
    loadBalancerPort: checkPort('lb-server-port', integerFlag(values, 'lb-server-port') ?? 6444),
    containerRuntimeEndpoint: stringFlag(values, 'container-runtime-endpoint'),
    pauseImage: stringFlag(values, 'pause-image') ?? 'rancher/mirrored-pause:3.6',
    snapshotter: stringFlag(values, 'snapshotter') ?? 'overlayfs',
    privateRegistry: stringFlag(values, 'private-registry') ?? '/etc/rancher/k3s/registries.yaml',
    disableDefaultRegistryEndpoint: booleanFlag(values, 'disable-default-registry-endpoint'),
    nonrootDevices: booleanFlag(values, 'nonroot-devices'),
    resolvConf: stringFlag(values, 'resolv-conf'),
    flannelInterface: stringFlag(values, 'flannel-iface'),
    imageCredentialProvider: {
      config:
        stringFlag(values, 'image-credential-provider-config') ??
        '/var/lib/rancher/credentialprovider/config.yaml',
      binDirectory:
        stringFlag(values, 'image-credential-provider-bin-dir') ??
        '/var/lib/rancher/credentialprovider/bin',
    },
    kubelet: await readKubeletConfiguration({
      // Arguments that name a setting again win.
      args: [...kubeletArguments(values), ...listFlag(values, 'kubelet-arg')],
      dropInDirectory: join(dataDir, 'agent/etc/kubelet.conf.d'),
    }),
    isServerNode: false,
  };
}

/** Flags of k3ts that are settings of the kubelet. */
function kubeletArguments(values: FlagValues): string[] {
  return booleanFlag(values, 'protect-kernel-defaults') ? ['protect-kernel-defaults=true'] : [];
}

function checkLabels(labels: readonly string[]): readonly string[] {
  for (const label of labels) {
    if (!/^[^=\s]+=[^=\s]*$/.test(label)) {
      throw new K3tsError('Usage', `invalid --node-label "${label}": key=value expected`);
    }
  }
  return labels;
}

function checkTaints(taints: readonly string[]): readonly string[] {
  for (const taint of taints) {
    if (!/^[^=:\s]+(=[^=:\s]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/.test(taint)) {
      throw new K3tsError(
        'Usage',
        `invalid --node-taint "${taint}": key=value:NoSchedule, :PreferNoSchedule or :NoExecute expected`,
      );
    }
  }
  return taints;
}
