import { readOptional } from '#host/files.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { DeviceStore } from './device-store.ts';

interface Checkpoint {
  readonly Data?: {
    readonly PodDeviceEntries?:
      | readonly {
          readonly PodUID: string;
          readonly ContainerName: string;
          readonly ResourceName: string;
          readonly DeviceIDs: Readonly<Record<string, readonly string[]>>;
        }[]
      | null;
    readonly RegisteredDevices?: Readonly<Record<string, readonly string[]>> | null;
  };
}

/** Devices whose place in the machine is not known are kept under this node, as upstream. */
const noNumaNode = '-1';

/**
 * Who has which devices, in upstream's form: read after a restart, when pods that run already are
 * not admitted again. The checksum is not computed and not asked for.
 */
export async function writeCheckpoint(path: string, store: DeviceStore): Promise<void> {
  const entries = [...store.allocations()].flatMap(([PodUID, containers]) =>
    [...containers].flatMap(([ContainerName, allocation]) =>
      [...allocation].map(([ResourceName, ids]) => ({
        PodUID,
        ContainerName,
        ResourceName,
        DeviceIDs: byNode(store, ResourceName, ids),
        AllocResp: '',
      })),
    ),
  );
  const registered = store
    .resources()
    .map((resource) => [resource, store.healthy(resource).map(({ id }) => id)] as const);
  const data = { PodDeviceEntries: entries, RegisteredDevices: Object.fromEntries(registered) };
  await writeFileAtomic(path, JSON.stringify({ Data: data, Checksum: 0 }), 0o600);
}

function byNode(
  store: DeviceStore,
  resource: string,
  ids: readonly string[],
): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  const known = new Map(store.healthy(resource).map((device) => [device.id, device.topology]));
  for (const id of ids) {
    const nodes = (known.get(id)?.nodes ?? []).map((node) => String(node.id));
    for (const node of nodes.length === 0 ? [noNumaNode] : nodes) (lists[node] ??= []).push(id);
  }
  return lists;
}

/** Reads it into the store; resources are known then but have no devices until plugins come. */
export async function readCheckpoint(path: string, store: DeviceStore, log: Logger): Promise<void> {
  try {
    const text = await readOptional(path);
    if (text === undefined) return;
    const { Data = {} } = JSON.parse(text) as Checkpoint;
    for (const resource of Object.keys(Data.RegisteredDevices ?? {})) store.stop(resource);
    for (const entry of Data.PodDeviceEntries ?? []) {
      // A device of several nodes is written once for each.
      const ids = [...new Set(Object.values(entry.DeviceIDs).flat())].sort();
      store.restore(entry.PodUID, entry.ContainerName, entry.ResourceName, ids);
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    log.warning('Cannot read the checkpoint of devices', { path, error: messageOf(error) });
  }
}
