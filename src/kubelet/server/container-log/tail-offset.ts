import type { FileHandle } from 'node:fs/promises';

const blockBytes = 64 * 1024;
const newline = 0x0a;

/**
 * Where the last `lines` lines of the first `endOffset` bytes begin. Reads backwards from there and
 * no more than needed; a last line without a newline counts as one.
 */
export async function findTailOffset(
  file: FileHandle,
  endOffset: number,
  lines: number,
): Promise<number> {
  if (lines <= 0) return endOffset;
  const block = Buffer.allocUnsafe(blockBytes);
  let found = 0;
  for (let end = endOffset; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      // The newline at the very end belongs to the last line.
      if (block[at] !== newline || start + at === endOffset - 1) continue;
      if (++found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
