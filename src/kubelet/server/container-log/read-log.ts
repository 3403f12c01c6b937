import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#base/errors.ts';
import { watchFile } from './file-changes.ts';
import { RecordFormatter } from './format-records.ts';
import type { LogFormat } from './format-records.ts';
import { findTailOffset } from './tail-offset.ts';

const chunkBytes = 64 * 1024;

export interface ReadLogOptions extends LogFormat {
  path: string;
  isFollowing: boolean;
  tailLines?: number | undefined;
  /** Asked at the end of the file when following: no more comes when it says no. */
  isRunning: () => boolean;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * A container's log as `kubectl logs` shows it, piece by piece. Following goes on through rotation
 * (the file is renamed and made anew) until the container has ended and all is read, or the signal
 * is aborted. Throws when the file cannot be opened at first.
 */
export async function* readContainerLog(options: ReadLogOptions): AsyncGenerator<Buffer> {
  const { path, isFollowing, tailLines, signal } = options;
  const formatter = new RecordFormatter(options);
  const changes = isFollowing ? watchFile(path, options.clock) : undefined;
  let file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let at = tailLines === undefined ? 0 : await findTailOffset(file, size, tailLines);
    // With a tail the lines are those that were there at the start.
    const endOffset = !isFollowing && tailLines !== undefined ? size : Number.POSITIVE_INFINITY;
    for (;;) {
      const isLastPass = changes === undefined || !options.isRunning();
      for await (const chunk of readOn(file, at, endOffset)) {
        at += chunk.length;
        const output = formatter.push(chunk);
        if (output.length > 0) yield output;
        if (formatter.isFull || signal.aborted) return;
      }
      const successor = changes === undefined ? undefined : await openSuccessor(path, file);
      if (successor !== undefined) {
        // What was written between the last read and the rotation.
        for await (const chunk of readOn(file, at, endOffset)) yield formatter.push(chunk);
        await file.close();
        file = successor;
        at = 0;
        continue;
      }
      if (isLastPass) break;
      await changes.next(signal);
      if (signal.aborted) return;
    }
    const last = formatter.end();
    if (last.length > 0) yield last;
  } finally {
    changes?.close();
    await file.close();
  }
}

/** From an offset to the end as it is then. The chunks share one buffer: use before the next. */
async function* readOn(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let at = from; at < to;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The file that took the place of the open one at its path; undefined while none has. */
async function openSuccessor(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  try {
    const [now, opened] = await Promise.all([stat(path), file.stat()]);
    if (now.ino === opened.ino && now.dev === opened.dev) return undefined;
    return await open(path, 'r');
  } catch (error) {
    // Renamed, and not made anew yet; or removed with the container.
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
