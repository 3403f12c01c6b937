import type { Container, Pod, PodSpec } from '../generated/types.ts';

/**
 * Leaves of a write to a pod's subresource only what that subresource is for: everything else,
 * labels included, is taken from the stored pod. Works in place; values of `old` are shared.
 */
function keepOnly(pod: Pod, old: Pod, spec: PodSpec | undefined): void {
  const { uid, resourceVersion, managedFields } = pod.metadata;
  const metadata = { ...old.metadata };
  setOrDelete(metadata, 'uid', uid);
  setOrDelete(metadata, 'resourceVersion', resourceVersion);
  setOrDelete(metadata, 'managedFields', managedFields);
  pod.metadata = metadata;
  if (spec === undefined) delete pod.spec;
  else pod.spec = spec;
  if (old.status === undefined) delete pod.status;
  else pod.status = old.status;
}

function setOrDelete<T extends object, K extends keyof T>(
  target: T,
  key: K,
  value: T[K] | undefined,
): void {
  if (value === undefined) delete target[key];
  else target[key] = value;
}

export function keepEphemeralContainers(pod: Pod, old: Pod): void {
  const spec = old.spec === undefined ? undefined : { ...old.spec };
  if (spec !== undefined) {
    setOrDelete(spec, 'ephemeralContainers', pod.spec?.ephemeralContainers);
  }
  keepOnly(pod, old, spec);
}

export function keepResize(pod: Pod, old: Pod): void {
  if (!hasSameContainers(pod.spec, old.spec)) return;
  const spec = old.spec === undefined ? undefined : { ...old.spec };
  if (spec !== undefined) {
    spec.containers = resized(spec.containers, pod.spec?.containers);
    if (spec.initContainers !== undefined) {
      spec.initContainers = resized(spec.initContainers, pod.spec?.initContainers);
    }
    setOrDelete(spec, 'resources', pod.spec?.resources);
  }
  keepOnly(pod, old, spec);
}

/** Containers that came, went, moved or changed their names are for validation to refuse. */
function hasSameContainers(spec: PodSpec | undefined, old: PodSpec | undefined): boolean {
  const names = (list: readonly Container[] | undefined): string =>
    JSON.stringify((list ?? []).map(({ name }) => name));
  return (
    names(spec?.containers) === names(old?.containers) &&
    names(spec?.initContainers) === names(old?.initContainers)
  );
}

/** The stored containers with the wanted resources of those of the same name. */
function resized(
  stored: readonly Container[],
  wanted: readonly Container[] | undefined,
): Container[] {
  const byName = new Map(wanted?.map((container) => [container.name, container]));
  return stored.map((container) => {
    const want = byName.get(container.name);
    if (want === undefined) return container;
    const copy = { ...container };
    setOrDelete(copy, 'resources', want.resources);
    setOrDelete(copy, 'resizePolicy', want.resizePolicy);
    return copy;
  });
}
