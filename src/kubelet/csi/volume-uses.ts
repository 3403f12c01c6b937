import { join } from 'node:path';
import { namesIn } from '#host/files.ts';
import type { CsiPaths } from './csi-paths.ts';
import { readRecords } from './csi-record.ts';
import type { CsiRecord } from './csi-record.ts';
import { volumeKey } from './volume-plan.ts';

/** Which pods use which volumes here, and which volumes are staged. Kept in step with the disk. */
export interface VolumeUses {
  add(record: CsiRecord, podUid: string): void;
  remove(record: CsiRecord, podUid: string): void;
  /** Forgets a pod whose volumes are all gone, mounted or not. */
  removePod(podUid: string): void;
  hasUsers(record: CsiRecord): boolean;
  /** Volumes that are staged, or were when the kubelet ended. */
  addStaged(record: CsiRecord): void;
  removeStaged(record: CsiRecord): void;
  staged(): CsiRecord[];
  /** As in node.status.volumesInUse: volumes that have to be attached. */
  inUse(): string[];
  onInUseChange(listener: () => void): void;
}

/** Reads what an earlier kubelet left: records of pods and of staged volumes. */
export async function loadUses(paths: CsiPaths, podsDirectory: string): Promise<VolumeUses> {
  const users = new Map<string, Set<string>>();
  const staged = new Map<string, CsiRecord>();
  const attached = new Set<string>();
  let changed = (): void => undefined;
  const attach = (key: string): void => {
    if (attached.has(key)) return;
    attached.add(key);
    changed();
  };
  const keyOf = ({ driverName, volumeHandle }: CsiRecord): string =>
    volumeKey(driverName, volumeHandle);
  const settle = (key: string): void => {
    const isUsed = staged.has(key) || (users.get(key)?.size ?? 0) > 0;
    if (!isUsed && attached.delete(key)) changed();
  };
  const uses: VolumeUses = {
    add(record, podUid) {
      const key = keyOf(record);
      const ofVolume = users.get(key) ?? new Set();
      users.set(key, ofVolume.add(podUid));
      if (record.isAttached === true) attach(key);
    },
    remove(record, podUid) {
      const key = keyOf(record);
      const ofVolume = users.get(key);
      ofVolume?.delete(podUid);
      if (ofVolume?.size === 0) users.delete(key);
      settle(key);
    },
    removePod(podUid) {
      for (const [key, ofVolume] of users) {
        ofVolume.delete(podUid);
        if (ofVolume.size === 0) users.delete(key);
        settle(key);
      }
    },
    hasUsers: (record) => users.has(keyOf(record)),
    addStaged(record) {
      staged.set(keyOf(record), record);
      if (record.isAttached === true) attach(keyOf(record));
    },
    removeStaged(record) {
      staged.delete(keyOf(record));
      settle(keyOf(record));
    },
    staged: () => [...staged.values()],
    onInUseChange: (listener) => void (changed = listener),
    inUse: () => [...attached].map((key) => `kubernetes.io/csi/${key}`).sort(),
  };
  for (const podUid of await namesIn(podsDirectory)) {
    for (const record of (await readRecords(paths.podVolumes(podUid))).values()) {
      uses.add(record, podUid);
    }
  }
  for (const driver of await namesIn(paths.staged)) {
    const directory = join(paths.staged, driver);
    for (const record of (await readRecords(directory)).values()) uses.addStaged(record);
  }
  return uses;
}
