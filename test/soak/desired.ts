import type { PodKind } from './manifests.ts';

export interface WantedPod {
  readonly kind: PodKind;
}

export interface WantedDeployment {
  replicas: number;
  version: number;
}

/** What there should be when nothing is under way; kept by the churn, read by the checks. */
export interface Desired {
  readonly pods: Map<string, WantedPod>;
  /** Each has a Service of its name. */
  readonly deployments: Map<string, WantedDeployment>;
  readonly statefulSets: Map<string, number>;
  /** Services without a Deployment of their name. */
  readonly services: Set<string>;
}

export function createDesired(): Desired {
  return {
    pods: new Map(),
    deployments: new Map(),
    statefulSets: new Map(),
    services: new Set(),
  };
}

export function wantedCount({ pods, deployments, statefulSets }: Desired): number {
  let sum = pods.size;
  for (const { replicas } of deployments.values()) sum += replicas;
  for (const replicas of statefulSets.values()) sum += replicas;
  return sum;
}
