import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import { namesIn } from '#host/files.ts';

/**
 * What is kept beside a mounted CSI volume, so that it can be taken down without the API, also
 * after a restart; names as upstream's `vol_data.json`.
 */
export interface CsiRecord {
  readonly driverName: string;
  readonly volumeHandle: string;
  /** Name of the PersistentVolume, or of the pod's volume. */
  readonly specVolID: string;
  readonly nodeName: string;
  readonly volumeLifecycleMode: 'Persistent' | 'Ephemeral';
  readonly attachmentID: string;
  /** The driver was asked to attach it: it counts in volumesInUse. */
  readonly isAttached?: boolean | undefined;
  readonly isBlock?: boolean | undefined;
}

const fileName = 'vol_data.json';

export async function writeRecord(directory: string, record: CsiRecord): Promise<void> {
  const path = join(directory, fileName);
  await writeFile(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** Undefined where there is none, or where a crash left half of one. */
export async function readRecord(directory: string): Promise<CsiRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, fileName), 'utf8')) as CsiRecord;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

/** The records in the directories of a directory, by the directory's path. */
export async function readRecords(parent: string): Promise<Map<string, CsiRecord>> {
  const records = new Map<string, CsiRecord>();
  for (const name of await namesIn(parent)) {
    const directory = join(parent, name);
    const record = await readRecord(directory);
    if (record !== undefined) records.set(directory, record);
  }
  return records;
}
