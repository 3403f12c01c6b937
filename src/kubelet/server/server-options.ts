import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { RuntimeService } from '../cri/mod.ts';
import type { Kubelet } from '../kubelet-options.ts';
import type { LocalDirectories } from '../volumes/mod.ts';
import type { UsageReader } from './stats/usage-reader.ts';

/** PEM texts. */
export interface KubeletTls {
  readonly certificate: string;
  readonly key: string;
  /** Who signs the certificates of clients: the API server's. */
  readonly clientAuthority: string;
}

/** The questions that the kubelet's API answers from. */
export type KubeletView = Pick<
  Kubelet,
  'podByName' | 'pods' | 'runningPods' | 'getContainer' | 'sandboxId'
> &
  Partial<Pick<Kubelet, 'claimUsage' | 'metrics' | 'probeMetrics' | 'isSyncing'>>;

export interface KubeletServerOptions {
  readonly kubelet: KubeletView;
  readonly runtime: Pick<
    RuntimeService,
    'exec' | 'attach' | 'portForward' | 'execSync' | 'listContainerStats' | 'checkpointContainer'
  >;
  /** Asked who a token belongs to and who may do what: TokenReview, SubjectAccessReview. */
  readonly client: Client;
  readonly nodeName: string;
  readonly tls: KubeletTls;
  /** Usually 0.0.0.0 or ::, and 10250. Port 0 takes any. */
  readonly address: string;
  readonly port: number;
  /** Without TLS; usually 10248. Undefined: none. */
  readonly healthzPort?: number | undefined;
  /** 127.0.0.1 when absent. */
  readonly healthzAddress?: string | undefined;
  readonly usage: UsageReader;
  /** KubeletConfiguration as /configz shows it. */
  readonly configuration: () => object;
  /** Usually /var/log. */
  readonly logDirectory: string;
  /** Makes and removes directories of local volumes; without it /localVolume is unknown. */
  readonly localDirectories?: LocalDirectories | undefined;
  /** Where checkpoints of containers are written; usually /var/lib/kubelet/checkpoints. */
  readonly checkpointDirectory: string;
  /** How long answers of the API server about tokens and rights are good; upstream's by default. */
  readonly tokenCacheMs?: number | undefined;
  readonly allowedCacheMs?: number | undefined;
  readonly deniedCacheMs?: number | undefined;
  /** False: no logs, exec, attach, port forwarding and the like. */
  readonly hasDebuggingHandlers?: boolean | undefined;
  /** False: no /logs. */
  readonly hasSystemLogs?: boolean | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}
