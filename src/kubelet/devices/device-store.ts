import { K3tsError } from '#base/errors.ts';
import type { Container, Pod } from '#schema/types.ts';
import { specOf, uidOf } from '../pods/names.ts';
import type { PluginDevice } from './device-messages.ts';

/** Devices of one container, by resource. */
export type Allocation = ReadonlyMap<string, readonly string[]>;

/** What devices there are and who has them; no plugin is asked. */
export interface DeviceStore {
  setDevices(resource: string, devices: readonly PluginDevice[]): void;
  /** The plugin is gone: the resource stays known, with no devices to give out. */
  stop(resource: string): void;
  healthy(resource: string): readonly PluginDevice[];
  resources(): string[];
  /** Healthy and unhealthy ones; allocatable are only healthy ones. */
  counts(): { capacity: Record<string, string>; allocatable: Record<string, string> };
  /** Devices that nobody has. */
  free(resource: string): string[];
  /**
   * Reserves devices for every container of a pod, those of pods that are not among `holders` any
   * more included; init containers share theirs with those after them. Throws upstream's text.
   */
  reserve(pod: Pod, holders: ReadonlySet<string>): void;
  allocation(podUid: string, container: string): Allocation;
  allocations(): ReadonlyMap<string, ReadonlyMap<string, Allocation>>;
  restore(podUid: string, container: string, resource: string, ids: readonly string[]): void;
  /** Puts the plugin's choice in the place of ours; ignored unless it is one of free devices. */
  replace(podUid: string, container: string, resource: string, ids: readonly string[]): void;
}

export function createDeviceStore(): DeviceStore {
  const devices = new Map<string, readonly PluginDevice[]>();
  const pods = new Map<string, Map<string, Map<string, readonly string[]>>>();

  const healthy = (resource: string): PluginDevice[] =>
    (devices.get(resource) ?? []).filter(({ health }) => health === 'Healthy');
  const taken = (resource: string): Set<string> =>
    new Set(
      [...pods.values()].flatMap((containers) =>
        [...containers.values()].flatMap((allocation) => allocation.get(resource) ?? []),
      ),
    );
  const free = (resource: string): string[] => {
    const used = taken(resource);
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
    allocation.set(resource, ids);
  };
  const reserveOne = (
    uid: string,
    container: Container,
    reusable: Map<string, Set<string>>,
    isReusable: boolean,
  ): void => {
    for (const [resource, count] of wanted(container, devices)) {
      const again = reusable.get(resource) ?? new Set<string>();
      reusable.set(resource, again);
      const known = pods.get(uid)?.get(container.name)?.get(resource);
      const available = [...again, ...free(resource)];
      if (known === undefined && available.length < count) {
        throw new K3tsError(
          'NoDevices',
          `requested number of devices unavailable for ${resource}. Requested: ${count}, Available: ${available.length}`,
        );
      }
      const ids = known ?? available.slice(0, count);
      set(uid, container.name, resource, ids);
      for (const id of ids) {
        if (isReusable) again.add(id);
        else again.delete(id);
      }
    }
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
    free,
    reserve(pod, holders) {
      const uid = uidOf(pod);
      for (const other of pods.keys()) {
        if (!holders.has(other) && other !== uid) pods.delete(other);
      }
      const { initContainers = [], containers } = specOf(pod);
      const reusable = new Map<string, Set<string>>();
      try {
        for (const one of initContainers) {
          reserveOne(uid, one, reusable, one.restartPolicy !== 'Always');
        }
        for (const one of containers) reserveOne(uid, one, reusable, false);
      } catch (error) {
        pods.delete(uid);
        throw error;
      }
    },
    allocation: (uid, container) => pods.get(uid)?.get(container) ?? new Map(),
    allocations: () => pods,
    restore: set,
    replace(uid, container, resource, ids) {
      const old = pods.get(uid)?.get(container)?.get(resource) ?? [];
      const allowed = new Set([...old, ...free(resource)]);
      const isValid = ids.length === old.length && ids.every((id) => allowed.has(id));
      if (isValid && new Set(ids).size === ids.length) set(uid, container, resource, ids);
    },
  };
}

/** How many of each known resource a container is limited to. */
function wanted(
  { resources }: Container,
  known: ReadonlyMap<string, unknown>,
): [resource: string, count: number][] {
  return Object.entries(resources?.limits ?? {})
    .filter(([resource]) => known.has(resource))
    .map(([resource, text]): [string, number] => [resource, Number(text)])
    .filter(([, count]) => count > 0);
}
