import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder, InformerFactory, QueueMeter } from '#client/mod.ts';
import type { Authority } from '#pki/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';

/** What the cluster's operator can set; each has upstream's default. */
export interface ControllerOptions {
  /** All resources that exist now, custom ones included; asked again and again. */
  readonly resources: () => readonly ResourceInfo[];
  /** Calls the listener when there are other ones; returns the remover. */
  readonly onResourcesChange?: ((listener: () => void) => () => void) | undefined;
  /** PEM of the authority that signs the API server's certificate. */
  readonly rootCa: string;
  /** Pod ranges, at most one a family; none turns nodeipam off. */
  readonly clusterCidrs: readonly string[];
  /** How long a node may be silent; upstream 50 s, k3s 40 s. */
  readonly nodeMonitorGraceMs?: number | undefined;
  /** Finished pods beyond this number are removed; 0 for never. Default 12500. */
  readonly terminatedPodThreshold?: number | undefined;
  /** Longest life of signed certificates; a year when absent. */
  readonly signingDurationMs?: number | undefined;
  /** Authorities that sign requests; without them signing is off. */
  readonly signers?: SignerAuthorities | undefined;
  /** Signs claims of the tokens in Secrets; without it the tokens controller is off. */
  readonly signToken?: ((claims: Record<string, unknown>) => Promise<string>) | undefined;
}

/** Authorities of the signers that are built in. */
export interface SignerAuthorities {
  /** Signs certificates by which clients and kubelets show who they are. */
  readonly client: Authority;
  /** Signs certificates of kubelets' servers, and those of the legacy signer. */
  readonly server: Authority;
}

/** What each controller is started with. Informers are started by startControllers. */
export interface ControllerContext {
  /** Acts as the controller's own service account where the composition root provides that. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Records events as this controller. */
  readonly events: EventRecorder;
  readonly options: ControllerOptions;
  /** Where the controller counts what it does; shared with others. */
  readonly metrics: MetricRegistry;
  /** Counts the controller's queues. */
  readonly queueMeter: QueueMeter;
}

/** Runs until the context's signal is aborted; resolves when nothing of it runs any more. */
export type StartController = (context: ControllerContext) => Promise<void>;
