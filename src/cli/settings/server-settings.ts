import { K3tsError } from '#base/errors.ts';
import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import { readControllerManagerArgs, readSchedulerArgs } from '#server/component-args/mod.ts';
import type { ServerSettings } from '#server/mod.ts';
import { booleanFlag, integerFlag, listFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import {
  checkAddresses,
  checkNetworks,
  checkPort,
  checkReachableAddresses,
  readClusterDns,
  readNetworks,
  readPortRange,
} from './networks.ts';
import { wantsDebug } from '../log-steps.ts';
import { readDataDir } from './data-dir.ts';
import { readNodeIps, readNodeName } from './node.ts';
import { readToken } from './token.ts';

const packagedComponents = new Set([
  'coredns',
  'servicelb',
  'traefik',
  'local-storage',
  'metrics-server',
  'runtimes',
]);

/** Checks the flags of `k3ts server` as a whole; throws `Usage` with one line for what is wrong. */
export async function readServerSettings(values: FlagValues): Promise<ServerSettings> {
  const clusterCidrs = readNetworks(
    'cluster-cidr',
    listFlag(values, 'cluster-cidr'),
    '10.42.0.0/16',
  );
  const serviceCidrs = readNetworks(
    'service-cidr',
    listFlag(values, 'service-cidr'),
    '10.43.0.0/16',
  );
  checkNetworks(clusterCidrs, serviceCidrs);
  const nodeIps = await readNodeIps(values);
  const httpsPort = checkPort(
    'https-listen-port',
    integerFlag(values, 'https-listen-port') ?? 6443,
  );
  const advertise = stringFlag(values, 'advertise-address');
  if (advertise !== undefined) checkReachableAddresses('advertise-address', [advertise]);
  const bindAddress = stringFlag(values, 'bind-address') ?? '0.0.0.0';
  checkAddresses('bind-address', [bindAddress]);
  const externalIps = checkReachableAddresses(
    'node-external-ip',
    listFlag(values, 'node-external-ip'),
  );
  return {
    dataDir: readDataDir(values),
    debug: wantsDebug(values),
    bindAddress,
    httpsPort,
    advertiseAddress: advertise ?? externalIps[0] ?? nodeIps[0] ?? '127.0.0.1',
    advertisePort: checkPort('advertise-port', integerFlag(values, 'advertise-port') ?? httpsPort),
    tlsSans: listFlag(values, 'tls-san'),
    clusterCidrs,
    serviceCidrs,
    nodePortRange: readPortRange(
      'service-node-port-range',
      stringFlag(values, 'service-node-port-range') ?? '30000-32767',
    ),
    clusterDns: readClusterDns(listFlag(values, 'cluster-dns'), serviceCidrs),
    clusterDomain: stringFlag(values, 'cluster-domain') ?? 'cluster.local',
    flannelBackend:
      stringFlag(values, 'flannel-backend') === 'none' || booleanFlag(values, 'no-flannel')
        ? 'none'
        : 'vxlan',
    egressSelectorMode: stringFlag(values, 'egress-selector-mode') ?? 'agent',
    token: readToken(values, 'token'),
    agentToken: readToken(values, 'agent-token'),
    datastoreEndpoint: stringFlag(values, 'datastore-endpoint') ?? '',
    datastoreTls: {
      caFile: stringFlag(values, 'datastore-cafile'),
      certificateFile: stringFlag(values, 'datastore-certfile'),
      keyFile: stringFlag(values, 'datastore-keyfile'),
    },
    kubeconfig: {
      path: stringFlag(values, 'write-kubeconfig') ?? '/etc/rancher/k3s/k3s.yaml',
      mode: readMode(stringFlag(values, 'write-kubeconfig-mode') ?? '0600'),
      group: stringFlag(values, 'write-kubeconfig-group'),
    },
    disabled: readDisabled([...listFlag(values, 'disable'), ...listFlag(values, 'no-deploy')]),
    localStoragePath: stringFlag(values, 'default-local-storage-path'),
    disableAgent: booleanFlag(values, 'disable-agent'),
    disableScheduler: booleanFlag(values, 'disable-scheduler'),
    disableControllerManager: booleanFlag(values, 'disable-controller-manager'),
    disableKubeProxy: booleanFlag(values, 'disable-kube-proxy'),
    disableNetworkPolicy: booleanFlag(values, 'disable-network-policy'),
    disableCloudController: booleanFlag(values, 'disable-cloud-controller'),
    disableHelmController: booleanFlag(values, 'disable-helm-controller'),
    nodeName: readNodeName(values),
    nodeIps,
    ...readSecretsEncryption(values),
    apiServerArgs: readArgs('kube-apiserver-arg', values, readApiServerArgs),
    schedulerArgs: readArgs('kube-scheduler-arg', values, readSchedulerArgs),
    controllerManagerArgs: readArgs(
      'kube-controller-manager-arg',
      values,
      readControllerManagerArgs,
    ),
    schedulerPlugins: listFlag(values, 'scheduler-plugin'),
  };
}

/** Reads the arguments of a component; what is wrong names the flag that brought them. */
function readArgs<T>(flag: string, values: FlagValues, read: (args: readonly string[]) => T): T {
  try {
    return read(listFlag(values, flag));
  } catch (error) {
    if (!(error instanceof K3tsError)) throw error;
    throw new K3tsError(error.code, `--${flag}: ${error.message}`, { cause: error });
  }
}

function readSecretsEncryption(values: FlagValues): Pick<ServerSettings, 'secretsEncryption'> {
  const provider = stringFlag(values, 'secrets-encryption-provider') ?? 'aescbc';
  if (provider !== 'aescbc' && provider !== 'secretbox') {
    throw new K3tsError(
      'Usage',
      `--secrets-encryption-provider ${provider}: must be aescbc or secretbox`,
    );
  }
  return booleanFlag(values, 'secrets-encryption') ? { secretsEncryption: provider } : {};
}

function readMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) {
    throw new K3tsError(
      'Usage',
      `invalid --write-kubeconfig-mode "${text}": a mode such as 644 expected`,
    );
  }
  return Number.parseInt(text, 8);
}

function readDisabled(names: readonly string[]): ReadonlySet<string> {
  for (const name of names) {
    if (!packagedComponents.has(name)) {
      throw new K3tsError(
        'Usage',
        `--disable ${name}: no such component; known: ${[...packagedComponents].join(', ')}`,
      );
    }
  }
  return new Set(names);
}
