export type ProbeKind = 'liveness' | 'readiness' | 'startup';
export type ProbeResult = 'Success' | 'Failure' | 'Unknown';

/** The last word of each probe by container id; undefined when the container has no such probe. */
export interface ProbeResults {
  get(kind: ProbeKind, containerId: string): ProbeResult | undefined;
}
