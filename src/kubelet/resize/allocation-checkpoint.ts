import { K3tsError } from '#base/errors.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { readOptional } from '#host/files.ts';
import { fnv1a } from '../checkpoint-hash.ts';
import type { Resources } from './allocation.ts';

/** Resources of one pod. */
export interface CheckpointEntry {
  readonly uid: string;
  /** By name. */
  readonly containers: Readonly<Record<string, Resources>>;
  /** Pod-level resources. */
  readonly pod?: Resources | undefined;
  /** Which container of the runtime they are true of, by name; upstream does not know this field. */
  readonly ids?: Readonly<Record<string, string>> | undefined;
}

interface PodInfo {
  readonly ContainerResources?: Readonly<Record<string, Resources>> | undefined;
  readonly PodLevelResources?: Resources | undefined;
  readonly ContainerIDs?: Readonly<Record<string, string>> | undefined;
}

/** Writes resources in upstream's form with its checksum: a kubelet that finds it can go on. */
export async function writeCheckpoint(
  path: string,
  entries: readonly CheckpointEntry[],
): Promise<void> {
  const infos = entries.map(({ uid, containers, pod, ids }): [string, PodInfo] => [
    uid,
    { PodLevelResources: pod, ContainerResources: containers, ContainerIDs: ids },
  ]);
  const data = JSON.stringify(infos.length === 0 ? {} : { entries: Object.fromEntries(infos) });
  await writeFileAtomic(path, JSON.stringify({ data, checksum: checksumOf(data) }), 0o600);
}

/** None when there is no file; throws when it is not what was written. */
export async function readCheckpoint(path: string): Promise<CheckpointEntry[]> {
  const text = await readOptional(path);
  if (text === undefined) return [];
  const { data = '', checksum } = JSON.parse(text) as { data?: string; checksum?: number };
  if (checksum !== checksumOf(data)) {
    throw new K3tsError('CorruptCheckpoint', 'checkpoint is corrupted');
  }
  const { entries = {} } = JSON.parse(data) as { entries?: Record<string, PodInfo> };
  return Object.entries(entries).map(([uid, info]) => ({
    uid,
    containers: info.ContainerResources ?? {},
    ...(info.PodLevelResources === undefined ? {} : { pod: info.PodLevelResources }),
    ...(info.ContainerIDs === undefined ? {} : { ids: info.ContainerIDs }),
  }));
}

/** Of the text as Go prints it with its type. */
function checksumOf(data: string): number {
  return fnv1a(`(string)${data}`);
}
