import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import type { Allocation, Resources } from './allocation.ts';

/**
 * Allocations of the pods that were resized, and the resources that their containers run with. Pods
 * that never were are not in it: theirs are in the spec. Kept in `allocated_pods_state`, so that a
 * restart of the kubelet does not take a refused resize for a granted one.
 */
export interface AllocationStore {
  /** Reads the checkpoint; one that cannot be read is logged and left out. */
  load(): Promise<void>;
  allocated(podUid: string): Allocation | undefined;
  /** What a container was started or updated with. */
  actuated(containerId: string): Resources | undefined;
  allocate(podUid: string, allocation: Allocation): void;
  actuate(podUid: string, containerId: string, resources: Resources): void;
  forget(podUid: string): void;
  /** Resolves when the checkpoint holds everything set until now. */
  flushed(): Promise<void>;
}

interface Entry {
  allocation?: Allocation;
  containers: Record<string, Resources>;
}

export function createAllocationStore(options: { rootDir: string; log: Logger }): AllocationStore {
  const path = join(options.rootDir, 'allocated_pods_state');
  const { log } = options;
  const pods = new Map<string, Entry>();
  const actuatedById = new Map<string, Resources>();
  let writing: Promise<void> | undefined;
  let isDirty = false;

  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false;
      const text = JSON.stringify({ version: 1, pods: Object.fromEntries(pods) });
      await writeFileAtomic(path, text).catch((error: unknown) => {
        log.warning('cannot write the checkpoint of resizes', { path, error: messageOf(error) });
      });
    }
  };
  const changed = (): void => {
    isDirty = true;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  };
  const entryOf = (uid: string): Entry => {
    let entry = pods.get(uid);
    if (entry === undefined) pods.set(uid, (entry = { containers: {} }));
    return entry;
  };

  return {
    async load() {
      try {
        const read = JSON.parse(await readFile(path, 'utf8')) as { pods?: Record<string, Entry> };
        for (const [uid, entry] of Object.entries(read.pods ?? {})) {
          pods.set(uid, { ...entry, containers: entry.containers ?? {} });
          for (const [id, resources] of Object.entries(entry.containers ?? {})) {
            actuatedById.set(id, resources);
          }
        }
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return;
        log.warning('cannot read the checkpoint of resizes', { path, error: messageOf(error) });
      }
    },
    allocated: (uid) => pods.get(uid)?.allocation,
    actuated: (id) => actuatedById.get(id),
    allocate(uid, allocation) {
      entryOf(uid).allocation = allocation;
      changed();
    },
    actuate(uid, id, resources) {
      actuatedById.set(id, resources);
      entryOf(uid).containers[id] = resources;
      changed();
    },
    forget(uid) {
      const entry = pods.get(uid);
      if (entry === undefined) return;
      for (const id of Object.keys(entry.containers)) actuatedById.delete(id);
      pods.delete(uid);
      changed();
    },
    async flushed() {
      await writing;
    },
  };
}
