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
  /** How often nodes are looked at; 5 s when absent. */
  readonly nodeMonitorMs?: number | undefined;
  /** How long a node may take that never said whether it is ready; a minute when absent. */
  readonly nodeStartupGraceMs?: number | undefined;
  readonly eviction?: Partial<EvictionRules> | undefined;
  readonly autoscaling?: Partial<AutoscalingRules> | undefined;
  /** How often quotas are added up anew, 0 for never; five minutes when absent. */
  readonly quotaResyncMs?: number | undefined;
  /** Whether volumes are taken from silent nodes after six minutes; true when absent. */
  readonly forcesDetach?: boolean | undefined;
  /** How long a token in a Secret may be unused, and marked invalid; a year when absent. */
  readonly legacyTokenUnusedMs?: number | undefined;
  /** Finished pods beyond this number are removed; 0 for never. Default 12500. */
  readonly terminatedPodThreshold?: number | undefined;
  /** Longest life of signed certificates; a year when absent. */
  readonly signingDurationMs?: number | undefined;
  /** Authorities that sign requests; without them signing is off. */
  readonly signers?: SignerAuthorities | undefined;
  /** Signs claims of the tokens in Secrets; without it the tokens controller is off. */
  readonly signToken?: ((claims: Record<string, unknown>) => Promise<string>) | undefined;
}

/** How fast silent nodes are emptied. */
export interface EvictionRules {
  /** Nodes of a zone each second. */
  readonly perSecond: number;
  /** The same in a large zone that is mostly silent; small ones are then left alone. */
  readonly slowPerSecond: number;
  /** A zone is mostly silent when this share of its nodes is. */
  readonly unhealthyShare: number;
  /** A zone with more nodes is a large one. */
  readonly largeZoneNodes: number;
}

/** What holds for every HorizontalPodAutoscaler that does not say it itself. */
export interface AutoscalingRules {
  readonly syncPeriodMs: number;
  /** How far from its target a metric may be without a change, as a share. */
  readonly tolerance: number;
  /** Shrinking goes to the highest wish of this time. */
  readonly downWindowMs: number;
  /** What a pod burns while it comes up is not load. */
  readonly cpuInitializationMs: number;
  /** A pod that has been unready since this long after its start is taken as never ready. */
  readonly initialReadinessMs: number;
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
