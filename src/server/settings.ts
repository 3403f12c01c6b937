import type { ControllerManagerArgs, SchedulerArgs } from './component-args/mod.ts';
import type { ApiServerArgs } from './api-server-args/mod.ts';

/** What a server was told, checked and complete. Made by cli/ from flags, config file and env. */
export interface ServerSettings {
  readonly dataDir: string;
  readonly debug: boolean;
  readonly bindAddress: string;
  readonly httpsPort: number;
  /** Address and port that the kubernetes Service leads to. */
  readonly advertiseAddress: string;
  readonly advertisePort: number;
  readonly tlsSans: readonly string[];
  /** One IPv4 network, one IPv6 network, or one of each; canonical CIDR texts. */
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodePortRange: { readonly first: number; readonly last: number };
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly flannelBackend: 'vxlan' | 'none';
  readonly egressSelectorMode: string;
  /** Empty when the user gave none: then the one on disk, or a new one. */
  readonly token: string;
  readonly agentToken: string;
  readonly datastoreEndpoint: string;
  /** Paths of PEM files for a datastore that is reached over TLS. */
  readonly datastoreTls?: {
    readonly caFile: string | undefined;
    readonly certificateFile: string | undefined;
    readonly keyFile: string | undefined;
  };
  readonly kubeconfig: {
    readonly path: string;
    readonly mode: number;
    readonly group: string | undefined;
    /** Becomes a link to `path` when it is another; k3s' own path when absent. */
    readonly link?: string;
  };
  /** Packaged components and controllers that are off. */
  readonly disabled: ReadonlySet<string>;
  /** Directory of local-path volumes; `<dataDir>/storage` when absent. */
  readonly localStoragePath?: string | undefined;
  readonly disableAgent: boolean;
  readonly disableScheduler: boolean;
  readonly disableControllerManager: boolean;
  readonly disableKubeProxy: boolean;
  readonly disableNetworkPolicy: boolean;
  readonly disableCloudController: boolean;
  readonly disableHelmController: boolean;
  /** Lower-case name of this host's node. */
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** How Secrets are encrypted at rest; absent without --secrets-encryption. */
  readonly secretsEncryption?: 'aescbc' | 'secretbox';
  /** Of --kube-apiserver-arg; all at their defaults when absent. */
  readonly apiServerArgs?: ApiServerArgs;
  /** Of --kube-scheduler-arg and --kube-controller-manager-arg, in the same way. */
  readonly schedulerArgs?: SchedulerArgs;
  readonly controllerManagerArgs?: ControllerManagerArgs;
  /** Files of scheduler plugins, from --scheduler-plugin. */
  readonly schedulerPlugins?: readonly string[];
}
