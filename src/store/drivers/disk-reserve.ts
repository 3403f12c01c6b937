import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const reserveBytes = 4 * 1024 * 1024;

/** Below it the room is for writes. */
const minFreeBytes = 4 * reserveBytes;

/**
 * A file that only takes space, so that a compaction can still write when the disk is full: it is
 * given up for that, and made again when there is room.
 */
export class DiskReserve {
  readonly #path: string;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-reserve`;
  }

  /** Makes the file unless it is there; only where there is plenty of room for others too. */
  fill(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === reserveBytes) return;
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      if (bavail * bsize < minFreeBytes) return;
      writeFileSync(this.#path, Buffer.alloc(reserveBytes), { mode: 0o600 });
    } catch {
      // half of it would only make things worse
      rmSync(this.#path, { force: true });
    }
  }

  /** Gives the space back; false when there was none. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path, { force: true });
    return true;
  }
}

/** Whether SQLite says that there is no room to write. */
export function isDiskFull(error: unknown): boolean {
  return /database or disk is full|disk I\/O error|ENOSPC/i.test(
    error instanceof Error ? error.message : '',
  );
}
