import { join } from 'node:path';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { readCheckpoint, writeCheckpoint } from './allocation-checkpoint.ts';
import type { CheckpointEntry } from './allocation-checkpoint.ts';
import type { Allocation, Resources } from './allocation.ts';

/**
 * Allocations of the pods that were resized, and the resources that their containers run with. Pods
 * that never were are not in it: theirs are in the spec. Kept in `allocated_pods_state` and
 * `actuated_pods_state`, so that a restart of the kubelet does not take a refused resize for a
 * granted one.
 */
export interface AllocationStore {
  /** Reads the checkpoints; what cannot be read is logged and left out. */
  load(): Promise<void>;
  allocated(podUid: string): Allocation | undefined;
  /** What a container was started or updated with. */
  actuated(containerId: string): Resources | undefined;
  allocate(podUid: string, allocation: Allocation): void;
  actuate(podUid: string, container: ActuatedContainer): void;
  forget(podUid: string): void;
  /** Resolves when the checkpoints hold everything set until now. */
  flushed(): Promise<void>;
}

export interface ActuatedContainer {
  readonly id: string;
  readonly name: string;
  readonly resources: Resources;
}

export function createAllocationStore(options: { rootDir: string; log: Logger }): AllocationStore {
  const { log, rootDir } = options;
  const allocatedPath = join(rootDir, 'allocated_pods_state');
  const actuatedPath = join(rootDir, 'actuated_pods_state');
  const allocations = new Map<string, Allocation>();
  /** By pod uid, then container name. */
  const actuated = new Map<string, Map<string, ActuatedContainer>>();
  const byId = new Map<string, Resources>();
  let writing: Promise<void> | undefined;
  let isDirty = false;

  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false;
      try {
        await writeCheckpoint(allocatedPath, [...allocations].map(allocatedEntry));
        await writeCheckpoint(actuatedPath, [...actuated].map(actuatedEntry));
      } catch (error) {
        log.warning('cannot write the checkpoints of resizes', { error: messageOf(error) });
      }
    }
  };
  const changed = (): void => {
    isDirty = true;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  };
  const remember = (uid: string, container: ActuatedContainer): void => {
    const containers = actuated.get(uid) ?? new Map<string, ActuatedContainer>();
    actuated.set(uid, containers.set(container.name, container));
    byId.set(container.id, container.resources);
  };
  const read = async (path: string): Promise<CheckpointEntry[]> => {
    try {
      return await readCheckpoint(path);
    } catch (error) {
      log.warning('cannot read a checkpoint of resizes', { path, error: messageOf(error) });
      return [];
    }
  };

  return {
    async load() {
      for (const { uid, containers, pod } of await read(allocatedPath)) {
        allocations.set(uid, { containers, ...(pod === undefined ? {} : { pod }) });
      }
      for (const { uid, containers, ids = {} } of await read(actuatedPath)) {
        for (const [name, id] of Object.entries(ids)) {
          remember(uid, { id, name, resources: containers[name] ?? {} });
        }
      }
    },
    allocated: (uid) => allocations.get(uid),
    actuated: (id) => byId.get(id),
    allocate(uid, allocation) {
      allocations.set(uid, allocation);
      changed();
    },
    actuate(uid, container) {
      remember(uid, container);
      changed();
    },
    forget(uid) {
      const containers = actuated.get(uid);
      for (const { id } of containers?.values() ?? []) byId.delete(id);
      const hadAny = allocations.delete(uid);
      if (actuated.delete(uid) || hadAny) changed();
    },
    async flushed() {
      await writing;
    },
  };
}

function allocatedEntry([uid, { containers, pod }]: [string, Allocation]): CheckpointEntry {
  return { uid, containers, ...(pod === undefined ? {} : { pod }) };
}

function actuatedEntry([uid, containers]: [
  string,
  ReadonlyMap<string, ActuatedContainer>,
]): CheckpointEntry {
  const all = [...containers.values()];
  return {
    uid,
    containers: Object.fromEntries(all.map(({ name, resources }) => [name, resources])),
    ids: Object.fromEntries(all.map(({ name, id }) => [name, id])),
  };
}
