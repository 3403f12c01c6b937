import { compareQuantity, parseQuantity } from '#base/quantity.ts';
import type { Pod, ResourceRequirements } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';

/** Requests and limits of a container or of a pod as a whole. */
export type Resources = Pick<ResourceRequirements, 'requests' | 'limits'>;

/** What the node has promised to a pod, which a resize that cannot be done leaves as it was. */
export interface Allocation {
  /** By container name; init containers included. */
  readonly containers: Readonly<Record<string, Resources>>;
  /** Pod-level resources. */
  readonly pod?: Resources | undefined;
}

/** Only these can be resized; what else a container asks for never changes. */
const resizable = ['cpu', 'memory'] as const;
export type ResizableResource = (typeof resizable)[number];

export function allocationOf(pod: Pod): Allocation {
  const { containers, initContainers = [], resources } = specOf(pod);
  return {
    containers: Object.fromEntries(
      [...initContainers, ...containers].map((one) => [one.name, one.resources ?? {}]),
    ),
    ...(resources === undefined ? {} : { pod: resources }),
  };
}

/** The pod with the resources that it was given; the pod itself when those are what it asks for. */
export function withAllocation(pod: Pod, allocation: Allocation | undefined): Pod {
  if (allocation === undefined || isSameAllocation(allocationOf(pod), allocation)) return pod;
  const spec = specOf(pod);
  const given = <T extends { name: string; resources?: ResourceRequirements | undefined }>(
    list: readonly T[],
  ): T[] =>
    list.map((one) => {
      const own = allocation.containers[one.name];
      return own === undefined ? one : { ...one, resources: { ...one.resources, ...own } };
    });
  return {
    ...pod,
    spec: {
      ...spec,
      containers: given(spec.containers),
      ...(spec.initContainers === undefined ? {} : { initContainers: given(spec.initContainers) }),
      ...(allocation.pod === undefined
        ? {}
        : { resources: { ...spec.resources, ...allocation.pod } }),
    },
  };
}

export function isSameAllocation(a: Allocation, b: Allocation): boolean {
  const names = new Set([...Object.keys(a.containers), ...Object.keys(b.containers)]);
  return (
    changedResources(a.pod, b.pod).length === 0 &&
    [...names].every(
      (name) => changedResources(a.containers[name], b.containers[name]).length === 0,
    )
  );
}

/** Which of cpu and memory differ, as request or as limit. */
export function changedResources(
  before: Resources | undefined,
  after: Resources | undefined,
): ResizableResource[] {
  return resizable.filter((name) =>
    (['requests', 'limits'] as const).some(
      (field) => !isSameAmount(before?.[field]?.[name], after?.[field]?.[name]),
    ),
  );
}

function isSameAmount(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return compareQuantity(parseQuantity(a), parseQuantity(b)) === 0;
}

/** For each amount the larger of the two, so that a cgroup fits both while containers change. */
export function largerAllocation(a: Allocation, b: Allocation): Allocation {
  const names = new Set([...Object.keys(a.containers), ...Object.keys(b.containers)]);
  return {
    containers: Object.fromEntries(
      [...names].map((name) => [name, larger(a.containers[name], b.containers[name])]),
    ),
    ...(a.pod === undefined && b.pod === undefined ? {} : { pod: larger(a.pod, b.pod) }),
  };
}

function larger(a: Resources = {}, b: Resources = {}): Resources {
  const result: Resources = {};
  for (const field of ['requests', 'limits'] as const) {
    const [mine, theirs] = [a[field], b[field]];
    if (mine === undefined && theirs === undefined) continue;
    const amounts = { ...mine, ...theirs };
    for (const [name, text] of Object.entries(mine ?? {})) {
      const other = amounts[name] ?? text;
      if (compareQuantity(parseQuantity(text), parseQuantity(other)) > 0) amounts[name] = text;
    }
    result[field] = amounts;
  }
  return result;
}
