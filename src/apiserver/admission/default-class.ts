import type { KubeObject } from '#schema/mod.ts';

/**
 * The object that one of `annotations` marks as the default: of several the newest, of those made
 * in the same second the first by name.
 */
export function defaultObject<T extends KubeObject>(
  objects: readonly T[],
  annotations: readonly string[],
): T | undefined {
  let best: T | undefined;
  for (const object of objects) {
    const own = object.metadata.annotations;
    if (!annotations.some((annotation) => own?.[annotation] === 'true')) continue;
    if (best === undefined || isBefore(object, best)) best = object;
  }
  return best;
}

function isBefore(left: KubeObject, right: KubeObject): boolean {
  const leftTime = left.metadata.creationTimestamp ?? '';
  const rightTime = right.metadata.creationTimestamp ?? '';
  if (leftTime !== rightTime) return leftTime > rightTime;
  return left.metadata.name < right.metadata.name;
}
