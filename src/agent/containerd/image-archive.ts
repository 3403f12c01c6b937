import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { K3tsError } from '#base/errors.ts';
import { findExecutable, streamCommand } from '#host/process.ts';

type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'lz4';

const suffixes: readonly (readonly [string, Compression])[] = [
  ['.tar', 'none'],
  ['.tar.gz', 'gzip'],
  ['.tgz', 'gzip'],
  ['.tar.zst', 'zstd'],
  ['.tzst', 'zstd'],
  ['.tar.bz2', 'bzip2'],
  ['.tbz', 'bzip2'],
  ['.tar.lz4', 'lz4'],
];

/** How an archive is compressed, by its name; undefined when it is no archive that k3s knows. */
export function compressionOf(name: string): Compression | undefined {
  return suffixes.find(([suffix]) => name.endsWith(suffix))?.[1];
}

/** The tar in a file, unpacked while it is read. bzip2 and lz4 need their tool in `path`. */
export function openArchive(file: string, path: string): Readable {
  const compression = compressionOf(file) ?? 'none';
  const tool = compression === 'bzip2' || compression === 'lz4' ? compression : undefined;
  if (tool !== undefined) {
    const command = findExecutable(tool, path);
    if (command === undefined) {
      throw new K3tsError(
        'DecompressorMissing',
        `${file}: ${tool} not found in PATH: install it (apt-get install ${tool}), or use .tar.zst`,
      );
    }
    return streamCommand(command, ['-dc', file]);
  }
  const raw = createReadStream(file);
  const unpacker =
    compression === 'gzip'
      ? createGunzip()
      : compression === 'zstd'
        ? createZstdDecompress()
        : undefined;
  if (unpacker === undefined) return raw;
  raw.on('error', (error) => unpacker.destroy(error));
  return raw.pipe(unpacker);
}
