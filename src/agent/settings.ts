import type { KubeletConfiguration } from '#kubelet/configuration/mod.ts';

/** What an agent was told, checked and complete. Made by cli/ from flags, config file and env. */
export interface AgentSettings {
  readonly dataDir: string;
  readonly debug: boolean;
  /** `https://host:port` of the server to join. */
  readonly serverUrl: string;
  readonly token: string;
  readonly nodeName: string;
  readonly withNodeId: boolean;
  readonly nodeLabels: readonly string[];
  readonly nodeTaints: readonly string[];
  /** Empty: the address of the interface with the default route. */
  readonly nodeIps: readonly string[];
  readonly nodeExternalIps: readonly string[];
  readonly bindAddress: string;
  readonly loadBalancerPort: number;
  /** Socket of a runtime that k3ts does not start itself. */
  readonly containerRuntimeEndpoint: string | undefined;
  readonly pauseImage: string;
  readonly snapshotter: string;
  readonly privateRegistry: string;
  readonly disableDefaultRegistryEndpoint: boolean;
  readonly nonrootDevices: boolean;
  readonly resolvConf: string | undefined;
  readonly flannelInterface: string | undefined;
  /** Configuration and directory of image credential provider plugins. */
  readonly imageCredentialProvider: { readonly config: string; readonly binDirectory: string };
  /** What --kubelet-arg and its files say. */
  readonly kubelet: KubeletConfiguration;
  /** This agent runs beside a server on the same machine. */
  readonly isServerNode: boolean;
}
