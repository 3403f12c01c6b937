import { K3tsError } from '#base/errors.ts';

const newline = 0x0a;

/** A watch event of an object at etcd's limit is far below this. */
const defaultMaxLineBytes = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines. Each byte is looked at once and copied at most once, however
 * small the chunks are. Throws K3tsError `LineTooLong` at the bound.
 */
export function createLineSplitter(maxLineBytes = defaultMaxLineBytes): {
  /** Lines completed by this chunk, without the newline, empty ones left out. */
  push(chunk: Buffer): string[];
} {
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  const push = (chunk: Buffer): string[] => {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      let line: string;
      if (pending.length === 0) {
        line = chunk.toString('utf8', start, end);
      } else {
        pending.push(chunk.subarray(start, end));
        line = Buffer.concat(pending).toString('utf8');
        pending = [];
        pendingBytes = 0;
      }
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      pending.push(start === 0 ? chunk : chunk.subarray(start));
      pendingBytes += chunk.length - start;
      if (pendingBytes > maxLineBytes) {
        throw new K3tsError('LineTooLong', `a watch event is longer than ${maxLineBytes} bytes`);
      }
    }
    return lines;
  };
  return { push };
}
