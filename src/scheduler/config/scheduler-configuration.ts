import type { ExtensionPoint } from '../framework/extension-points.ts';
import type { PluginArgs } from '../plugins/registry.ts';

/** kubescheduler.config.k8s.io/v1, as far as it acts; defaults filled in. */
export interface SchedulerConfiguration {
  /** 0: upstream's share, which falls with the size of the cluster. */
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffSeconds: number;
  readonly podMaxBackoffSeconds: number;
  readonly profiles: readonly ProfileConfiguration[];
  readonly extenders: readonly ExtenderConfiguration[];
}

export interface ProfileConfiguration {
  readonly schedulerName: string;
  readonly percentageOfNodesToScore?: number | undefined;
  readonly plugins: Readonly<Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>>>;
  /** Arguments by plugin name. */
  readonly pluginConfig: ReadonlyMap<string, PluginArgs>;
}

export interface PluginSet {
  readonly enabled: readonly PluginReference[];
  /** `*` means all. */
  readonly disabled: readonly PluginReference[];
}

export interface PluginReference {
  readonly name: string;
  /** 0 when not given. */
  readonly weight: number;
}

/** A service that filters, scores, preempts or binds over HTTP. */
export interface ExtenderConfiguration {
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly preemptVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly enableHTTPS: boolean;
  readonly tlsConfig?: ExtenderTls | undefined;
  readonly httpTimeoutMs: number;
  readonly nodeCacheCapable: boolean;
  readonly managedResources: readonly {
    readonly name: string;
    readonly ignoredByScheduler: boolean;
  }[];
  readonly ignorable: boolean;
}

/** PEM texts; files are read when the configuration is. */
export interface ExtenderTls {
  readonly insecure: boolean;
  readonly serverName?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export const defaultConfiguration: SchedulerConfiguration = {
  percentageOfNodesToScore: 0,
  podInitialBackoffSeconds: 1,
  podMaxBackoffSeconds: 10,
  profiles: [{ schedulerName: 'default-scheduler', plugins: {}, pluginConfig: new Map() }],
  extenders: [],
};
