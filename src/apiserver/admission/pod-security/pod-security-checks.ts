import type { Container, EphemeralContainer, PodSpec, SecurityContext } from '#schema/types.ts';

/** One check; a finding has upstream's short reason and detail. */
export interface PodSecurityCheck {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** First and last minor version of the policy that it belongs to. */
  readonly from?: number;
  readonly until?: number;
  /** A baseline check that this restricted one stands in for. */
  readonly replaces?: string;
  find(of: CheckedPod, minor: number): Finding | undefined;
}

export interface Finding {
  readonly reason: string;
  readonly detail: string;
}

export interface CheckedPod {
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly spec: PodSpec;
  /** Init, plain, then ephemeral containers. */
  readonly containers: readonly (Container | EphemeralContainer)[];
}

export function checkedPod(annotations: CheckedPod['annotations'], spec: PodSpec): CheckedPod {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return {
    annotations,
    spec,
    containers: [...initContainers, ...containers, ...ephemeralContainers],
  };
}

/** `container "a"`, `containers "a", "b"`. */
export function named(kind: string, names: readonly string[]): string {
  return `${kind}${names.length === 1 ? '' : 's'} ${quoted(names)}`;
}

export function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

/** Names of the containers whose security context fails `isBad`. */
export function containersWith(
  pod: CheckedPod,
  isBad: (context: SecurityContext | undefined) => boolean,
): string[] {
  return pod.containers
    .filter((container) => isBad(container.securityContext))
    .map((container) => container.name);
}
