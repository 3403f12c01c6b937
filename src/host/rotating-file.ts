import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, extname, join, basename } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const pack = promisify(gzip);
const dayMs = 24 * 60 * 60 * 1000;
const bytesPerMegabyte = 1024 * 1024;
const defaultMegabytes = 100;

export interface RotatingFileOptions {
  readonly path: string;
  /** 0: 100. */
  readonly maxSizeMegabytes: number;
  /** Backups that are kept, by number and by age; 0: all. */
  readonly maxBackups: number;
  readonly maxAgeDays: number;
  readonly isCompressed: boolean;
  readonly now: () => number;
  readonly mode?: number;
}

/**
 * A file that is appended to and renamed to `<name>-<time><extension>` when it is full, as the logs
 * of upstream are. Writes are made one after the other in the order of the calls.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #sizeBytes = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Opens the file, making it and missing folders; throws when that is not possible. */
  async open(): Promise<void> {
    const { path, mode = 0o600 } = this.#options;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = await open(path, 'a', mode);
    this.#sizeBytes = (await this.#file.stat()).size;
  }

  /** The caller waits for one write before the next. */
  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const maxBytes = (this.#options.maxSizeMegabytes || defaultMegabytes) * bytesPerMegabyte;
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > maxBytes) await this.#rotate();
    if (this.#file === undefined) await this.open();
    await this.#file?.appendFile(bytes);
    this.#sizeBytes += bytes.length;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #rotate(): Promise<void> {
    const { path, now, isCompressed } = this.#options;
    await this.close();
    const extension = extname(path);
    const stem = path.slice(0, path.length - extension.length);
    const time = new Date(now()).toISOString().slice(0, -1).replaceAll(':', '-');
    const backup = `${stem}-${time}${extension}`;
    await rename(path, backup);
    if (isCompressed) {
      await writeFile(`${backup}.gz`, await pack(await readFile(backup)), { mode: 0o600 });
      await rm(backup);
    }
    await this.#removeOld();
    await this.open();
  }

  async #removeOld(): Promise<void> {
    const { path, maxBackups, maxAgeDays, now } = this.#options;
    const extension = extname(path);
    const start = `${basename(path, extension)}-`;
    const folder = dirname(path);
    const backups = (await readdir(folder))
      .filter((name) => name.startsWith(start) && timeOf(name, start) !== undefined)
      .sort()
      .reverse();
    const oldestMs = maxAgeDays > 0 ? now() - maxAgeDays * dayMs : -Infinity;
    for (const [index, name] of backups.entries()) {
      const isSurplus = maxBackups > 0 && index >= maxBackups;
      if (isSurplus || (timeOf(name, start) ?? 0) < oldestMs) await rm(join(folder, name));
    }
  }
}

/** The time in a backup's name, undefined when it is no backup. */
function timeOf(name: string, start: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})/.exec(
    name.slice(start.length),
  );
  if (match === null) return undefined;
  return Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`);
}
