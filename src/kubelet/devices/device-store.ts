import { K3tsError } from '#base/errors.ts';
import type { Pod } from '#schema/types.ts';
import { containersOf, specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { countedHints, NumaNodes, podTotal } from '../topology/mod.ts';
import type { NumaMask, ResourceHints, TopologyHint } from '../topology/mod.ts';
import type { PluginDevice } from './device-messages.ts';

/** Devices of one container, by resource. */
export type Allocation = ReadonlyMap<string, readonly string[]>;

/** What a plugin may choose from. */
export interface DeviceChoice {
  readonly available: readonly string[];
  readonly mustInclude: readonly string[];
}

/** What devices there are and who has them; no plugin is asked. */
export interface DeviceStore {
  setDevices(resource: string, devices: readonly PluginDevice[]): void;
  /** The plugin is gone: the resource stays known, with no devices to give out. */
  stop(resource: string): void;
  healthy(resource: string): readonly PluginDevice[];
  resources(): string[];
  /** Healthy and unhealthy ones; allocatable are only healthy ones. */
  counts(): { capacity: Record<string, string>; allocatable: Record<string, string> };
  /** Where a container's devices could be; see HintProvider. */
  hints(pod: Pod, container: AnyContainer): ResourceHints;
  podHints(pod: Pod): ResourceHints;
  /**
   * Reserves devices for a container, those on the nodes of the mask first; init containers share
   * theirs with those after them. Throws upstream's text.
   */
  allocate(pod: Pod, container: AnyContainer, mask: NumaMask | undefined): void;
  releaseOthers(holders: ReadonlySet<string>): void;
  release(podUid: string): void;
  allocation(podUid: string, container: string): Allocation;
  allocations(): ReadonlyMap<string, ReadonlyMap<string, Allocation>>;
  restore(podUid: string, container: string, resource: string, ids: readonly string[]): void;
  /** Undefined when there is none, or it was made before a restart. */
  choice(podUid: string, container: string, resource: string): DeviceChoice | undefined;
  /** Puts the plugin's choice in the place of ours; ignored unless it is a possible one. */
  replace(podUid: string, container: string, resource: string, ids: readonly string[]): void;
}

/** How our own choice came about. */
interface Reason {
  readonly mask: NumaMask | undefined;
  readonly reused: readonly string[];
}

export function createDeviceStore(nodes = new NumaNodes([0])): DeviceStore {
  const devices = new Map<string, readonly PluginDevice[]>();
  const pods = new Map<string, Map<string, Map<string, readonly string[]>>>();
  const reasons = new Map<readonly string[], Reason>();

  const healthy = (resource: string): PluginDevice[] =>
    (devices.get(resource) ?? []).filter(({ health }) => health === 'Healthy');
  const free = (resource: string): string[] => {
    const containers = [...pods.values()].flatMap((pod) => [...pod.values()]);
    const used = new Set(containers.flatMap((allocation) => allocation.get(resource) ?? []));
    return healthy(resource)
      .map(({ id }) => id)
      .filter((id) => !used.has(id))
      .sort();
  };
  const set = (uid: string, name: string, resource: string, ids: readonly string[]): void => {
    const containers = pods.get(uid) ?? new Map<string, Map<string, readonly string[]>>();
    const allocation = containers.get(name) ?? new Map<string, readonly string[]>();
    pods.set(uid, containers);
    containers.set(name, allocation);
    reasons.delete(allocation.get(resource) ?? []);
    allocation.set(resource, ids);
  };
  const known = (uid: string, name: string, resource: string): readonly string[] | undefined =>
    pods.get(uid)?.get(name)?.get(resource);
  const release = (uid: string): void => {
    for (const allocation of pods.get(uid)?.values() ?? []) {
      for (const ids of allocation.values()) reasons.delete(ids);
    }
    pods.delete(uid);
  };
  const placeOf = ({ topology }: PluginDevice): NumaMask =>
    nodes.maskOf((topology?.nodes ?? []).map(({ id }) => id));
  /** Devices of the resource on the nodes; undefined when none of it says where it is. */
  const near = (resource: string, mask: NumaMask | undefined): Set<string> | undefined => {
    const all = devices.get(resource) ?? [];
    if (mask === undefined || all.every((device) => placeOf(device) === 0)) return undefined;
    return new Set(all.filter((device) => (placeOf(device) & mask) !== 0).map(({ id }) => id));
  };
  const reusableFor = (pod: Pod, name: string, resource: string): string[] => {
    const { initContainers = [], containers } = specOf(pod);
    const reusable = new Set<string>();
    for (const container of [...initContainers, ...containers]) {
      if (container.name === name) break;
      const ends = initContainers.includes(container) && container.restartPolicy !== 'Always';
      for (const id of known(uidOf(pod), container.name, resource) ?? []) {
        if (ends) reusable.add(id);
        else reusable.delete(id);
      }
    }
    return [...reusable];
  };
  const hintsFor = (wish: {
    resource: string;
    count: number;
    own: readonly string[];
    isOwnWrong: boolean;
    reusable: readonly string[];
  }): readonly TopologyHint[] | undefined => {
    const { resource, count, own, reusable } = wish;
    const all = devices.get(resource) ?? [];
    if (all.every((device) => placeOf(device) === 0)) return undefined;
    const places = new Map(all.map((device) => [device.id, placeOf(device)]));
    const masksOf = (ids: readonly string[]): NumaMask[] => ids.map((id) => places.get(id) ?? 0);
    if (wish.isOwnWrong) return [];
    const available = own.length > 0 ? own : free(resource);
    if (available.length + reusable.length < count) return [];
    return countedHints({
      nodes,
      request: count,
      all: [...places.values()],
      free: masksOf(available),
      // Devices that are nowhere are no reason for or against a node.
      reusable: masksOf(reusable).filter((mask) => mask !== 0),
    });
  };

  return {
    setDevices: (resource, list) => void devices.set(resource, list),
    stop: (resource) => void devices.set(resource, []),
    healthy,
    resources: () => [...devices.keys()],
    counts() {
      const capacity: Record<string, string> = {};
      const allocatable: Record<string, string> = {};
      for (const [resource, list] of devices) {
        capacity[resource] = String(list.length);
        allocatable[resource] = String(healthy(resource).length);
      }
      return { capacity, allocatable };
    },
    hints(pod, container) {
      const hints = wanted(container, devices).map(([resource, count]) => {
        const own = known(uidOf(pod), container.name, resource) ?? [];
        const isOwnWrong = own.length > 0 && own.length !== count;
        const reusable = own.length > 0 ? [] : reusableFor(pod, container.name, resource);
        return [resource, hintsFor({ resource, count, own, isOwnWrong, reusable })] as const;
      });
      return new Map(hints);
    },
    podHints(pod) {
      const resources = containersOf(pod).flatMap(({ container }) => wanted(container, devices));
      const hints = [...new Set(resources.map(([resource]) => resource))].map((resource) => {
        const count = podTotal(pod, (one) => new Map(wanted(one, devices)).get(resource) ?? 0);
        const own = containersOf(pod).flatMap(
          ({ container }) => known(uidOf(pod), container.name, resource) ?? [],
        );
        const ids = [...new Set(own)];
        const isOwnWrong = ids.length > 0 && ids.length !== count;
        return [
          resource,
          hintsFor({ resource, count, own: ids, isOwnWrong, reusable: [] }),
        ] as const;
      });
      return new Map(hints);
    },
    allocate(pod, container, mask) {
      const uid = uidOf(pod);
      for (const [resource, count] of wanted(container, devices)) {
        if (known(uid, container.name, resource) !== undefined) continue;
        const reusable = reusableFor(pod, container.name, resource);
        const available = [...reusable, ...free(resource)];
        if (available.length < count) {
          throw new K3tsError(
            'NoDevices',
            `requested number of devices unavailable for ${resource}. Requested: ${count}, Available: ${available.length}`,
          );
        }
        const aligned = near(resource, mask);
        const rank = (id: string): number =>
          reusable.includes(id) ? 0 : aligned === undefined || aligned.has(id) ? 1 : 2;
        const ids = available.toSorted((a, b) => rank(a) - rank(b)).slice(0, count);
        set(uid, container.name, resource, ids);
        reasons.set(ids, { mask, reused: ids.filter((id) => reusable.includes(id)) });
      }
    },
    releaseOthers(holders) {
      for (const uid of pods.keys()) if (!holders.has(uid)) release(uid);
    },
    release,
    allocation: (uid, container) => pods.get(uid)?.get(container) ?? new Map(),
    allocations: () => pods,
    restore: set,
    choice(uid, container, resource) {
      const ids = known(uid, container, resource);
      const reason = ids === undefined ? undefined : reasons.get(ids);
      if (ids === undefined || reason === undefined) return undefined;
      const available = [...ids, ...free(resource)].sort();
      const aligned = near(resource, reason.mask);
      const inside = available.filter((id) => aligned?.has(id));
      // The plugin chooses among devices on the right nodes, or what is missing beside them.
      if (inside.length > ids.length) {
        return { available: inside, mustInclude: reason.reused };
      }
      return { available, mustInclude: [...new Set([...reason.reused, ...inside])] };
    },
    replace(uid, container, resource, ids) {
      const old = known(uid, container, resource) ?? [];
      const choice = this.choice(uid, container, resource);
      const isPossible =
        choice !== undefined &&
        ids.length === old.length &&
        new Set(ids).size === ids.length &&
        ids.every((id) => choice.available.includes(id)) &&
        choice.mustInclude.every((id) => ids.includes(id));
      if (!isPossible) return;
      const reason = reasons.get(old);
      set(uid, container, resource, ids);
      if (reason !== undefined) reasons.set(ids, reason);
    },
  };
}

/** How many of each known resource a container is limited to. */
function wanted(
  { resources }: AnyContainer,
  known: ReadonlyMap<string, unknown>,
): [resource: string, count: number][] {
  return Object.entries(resources?.limits ?? {})
    .filter(([resource]) => known.has(resource))
    .map(([resource, text]): [string, number] => [resource, Number(text)])
    .filter(([, count]) => count > 0);
}
