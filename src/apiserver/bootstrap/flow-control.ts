import type { FlowSchema, PriorityLevelConfiguration } from '#schema/types.ts';

import { flowSchemas, priorityLevels } from './flow-control-table.ts';
import type { Change } from './rbac-reconcile.ts';

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const annotation = 'apf.kubernetes.io/autoupdate-spec';

type FlowObject = FlowSchema | PriorityLevelConfiguration;

export function defaultPriorityLevels(): PriorityLevelConfiguration[] {
  return priorityLevels.map(({ name, spec }) => ({
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name, annotations: { [annotation]: 'true' } },
    spec,
  }));
}

export function defaultFlowSchemas(): FlowSchema[] {
  return flowSchemas.map(({ name, spec }) => ({
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name, annotations: { [annotation]: 'true' } },
    spec,
  }));
}

const mandatory = new Set(
  [...priorityLevels, ...flowSchemas].filter((entry) => entry.isMandatory).map(({ name }) => name),
);

/**
 * Mandatory objects get their spec back; suggested ones when the annotation says so, or when it is
 * absent and nobody changed them yet. Fields that defaulting added do not count as a difference.
 */
export function reconcileFlowObject<T extends FlowObject>(stored: T, wanted: T): Change<T> {
  const { name, annotations, generation } = stored.metadata;
  const value = annotations?.[annotation];
  const mayUpdate =
    mandatory.has(name) || value === 'true' || (value === undefined && generation === 1);
  if (!mayUpdate || contains(stored.spec, wanted.spec)) return { action: 'keep' };
  const metadata = { ...stored.metadata, annotations: { ...annotations, [annotation]: 'true' } };
  return { action: 'update', object: { ...stored, metadata, spec: wanted.spec } };
}

/** Whether everything in `part` is in `whole` too; lists must have the same length. */
function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    if (!Array.isArray(whole) || whole.length !== part.length) return false;
    return part.every((entry, index) => contains(whole[index], entry));
  }
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null) return false;
    return Object.entries(part).every(([key, value]) =>
      contains((whole as Record<string, unknown>)[key], value),
    );
  }
  return whole === part;
}
