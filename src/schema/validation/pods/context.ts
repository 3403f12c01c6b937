import type { Container, PodSpec, Volume } from '../../generated/types.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';

/** What rules of a pod's parts have to know of the whole. */
export interface PodContext {
  /** A template makes pods; some rules are asked only of the pods themselves. */
  readonly isTemplate: boolean;
  readonly podName: string;
  readonly spec: Unchecked<PodSpec>;
  /** By name: those of the spec that are valid, and claims that a stateful set adds. */
  readonly volumes: ReadonlyMap<string, Unchecked<Volume>>;
  readonly claimNames: readonly string[];
  /** Values that the stored pod has, which stay good. */
  readonly old: Unchecked<PodSpec> | undefined;
}

export const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Calls back with each container of any sort, in the order that upstream visits them. */
export function forEachContainer(
  spec: Unchecked<PodSpec>,
  specPath: FieldPath,
  visit: (container: Unchecked<Container>, path: FieldPath) => void,
): void {
  for (const list of containerLists) {
    const containers = spec[list];
    if (containers === undefined || containers.length === 0) continue;
    const path = specPath.child(list);
    containers.forEach((container, index) => visit(container, path.at(index)));
  }
}
