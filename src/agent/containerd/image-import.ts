import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ImageStore } from './ctr.ts';
import { compressionOf, openArchive } from './image-archive.ts';

export interface ImageImportOptions {
  /** `agent/images`: archives and .txt lists that users put there. */
  directory: string;
  store: ImageStore;
  /** Pulls one reference of a .txt list. */
  pullImage: (reference: string) => Promise<void>;
  /** The PATH variable, for decompressors. */
  path: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

/** What is known about a file: unchanged files are skipped while their images are there. */
interface CacheEntry {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly images: readonly string[];
}

/** How long a file must stay as it is before it is taken to be complete. */
const settleMs = 1000;

/**
 * Imports what is in the images directory and goes on watching it until the signal is aborted.
 * Resolves after the first pass. A file that fails is logged and tried again when it changes.
 */
export async function importImages(options: ImageImportOptions): Promise<void> {
  const { directory, clock, log, signal } = options;
  await mkdir(directory, { recursive: true });
  const cache = await readCache(directory);
  let running: Promise<void> = Promise.resolve();
  const pass = (): Promise<void> => {
    running = running
      .then(() => importDirectory(options, cache))
      .catch((error: unknown) => {
        log.error('cannot import images', { directory, what: messageOf(error) });
      });
    return running;
  };
  let timer: Timer | undefined;
  const watcher = watch(directory, { signal }, (_event, name) => {
    if (name?.startsWith('.') === true) return;
    timer?.cancel();
    timer = clock.after(settleMs, () => void pass());
  });
  watcher.on('error', (error) => {
    log.warning('images directory is not watched', { directory, what: messageOf(error) });
  });
  watcher.unref();
  signal.addEventListener('abort', () => timer?.cancel(), { once: true });
  await pass();
}

async function importDirectory(
  options: ImageImportOptions,
  cache: Map<string, CacheEntry>,
): Promise<void> {
  const { directory, store, log, signal } = options;
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
  const wanted = names.filter((name) => compressionOf(name) !== undefined || name.endsWith('.txt'));
  if (wanted.length === 0) return;
  const present = await store.list();
  for (const name of wanted) {
    if (signal.aborted) return;
    const file = join(directory, name);
    const { size: sizeBytes, mtimeMs: modifiedMs } = await stat(file);
    const known = cache.get(name);
    const isUnchanged =
      known?.sizeBytes === sizeBytes &&
      known.modifiedMs === modifiedMs &&
      known.images.every((image) => present.has(image));
    if (isUnchanged) continue;
    try {
      const images = name.endsWith('.txt')
        ? await pullList(file, options, present)
        : await importArchive(file, options);
      cache.set(name, { sizeBytes, modifiedMs, images });
      log.info(`imported images from ${file}`, { count: images.length });
    } catch (error) {
      log.error(`cannot import images from ${file}`, { what: messageOf(error) });
    }
  }
  for (const name of cache.keys()) if (!names.includes(name)) cache.delete(name);
  await writeCache(directory, cache);
}

async function importArchive(
  file: string,
  { store, path }: ImageImportOptions,
): Promise<readonly string[]> {
  const images = await store.import(openArchive(file, path));
  await store.pin(images);
  return images;
}

async function pullList(
  file: string,
  { store, pullImage }: ImageImportOptions,
  present: ReadonlySet<string>,
): Promise<readonly string[]> {
  const references = (await readFile(file, 'utf8'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const reference of references) if (!present.has(reference)) await pullImage(reference);
  // The list may write names short, so only those the store knows can be found again.
  const after = await store.list();
  const found = references.filter((reference) => after.has(reference));
  await store.pin(found);
  return found;
}

const cacheName = '.cache.json';

/** A cache that cannot be read costs a second import, nothing else. */
async function readCache(directory: string): Promise<Map<string, CacheEntry>> {
  try {
    const text = await readFile(join(directory, cacheName), 'utf8');
    return new Map(Object.entries(JSON.parse(text) as Record<string, CacheEntry>));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return new Map();
    throw error;
  }
}

async function writeCache(
  directory: string,
  cache: ReadonlyMap<string, CacheEntry>,
): Promise<void> {
  const file = join(directory, cacheName);
  await writeFile(`${file}.tmp`, JSON.stringify(Object.fromEntries(cache)));
  await rename(`${file}.tmp`, file);
}
