import type { UnknownObject } from '#schema/mod.ts';
import type { ScalePaths } from '../custom-kind.ts';

interface CustomScale extends UnknownObject {
  spec: { replicas?: number };
}

/** The scale of a custom resource by its definition's paths; without replicas when it has none. */
export function customScaleOf(object: UnknownObject, paths: ScalePaths): CustomScale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = integerAt(object, paths.specReplicas);
  const selector = paths.labelSelector === undefined ? '' : valueAt(object, paths.labelSelector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === undefined ? {} : { replicas },
    status: {
      replicas: integerAt(object, paths.statusReplicas) ?? 0,
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  };
}

/** Sets the replicas of an object that the caller owns, and returns it. */
export function withReplicas(
  object: UnknownObject,
  { specReplicas }: ScalePaths,
  replicas: number,
): UnknownObject {
  const steps = stepsOf(specReplicas);
  const last = steps.pop() ?? '';
  let at: Record<string, unknown> = object;
  for (const step of steps) {
    const inside = at[step];
    const copy = typeof inside === 'object' && inside !== null ? { ...inside } : {};
    at[step] = copy;
    at = copy;
  }
  at[last] = replicas;
  return object;
}

function stepsOf(path: string): string[] {
  return path.replace(/^\./, '').split('.');
}

function valueAt(object: UnknownObject, path: string): unknown {
  let value: unknown = object;
  for (const step of stepsOf(path)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function integerAt(object: UnknownObject, path: string): number | undefined {
  const value = valueAt(object, path);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}
