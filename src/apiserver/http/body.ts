import type { Readable } from 'node:stream';
import { badRequest, requestEntityTooLarge } from '../api-errors.ts';

const empty = Buffer.alloc(0);

/**
 * Reads a request body to its end. Throws RequestEntityTooLarge as soon as it is known to pass the
 * limit, BadRequest when the client goes away.
 */
export function readAll(
  source: Readable,
  contentLength: string | undefined,
  limitBytes: number,
): Promise<Buffer> {
  if (contentLength === '0') return Promise.resolve(empty);
  if (contentLength !== undefined && Number(contentLength) > limitBytes) {
    return Promise.reject(requestEntityTooLarge(limitBytes));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let isDone = false;
    source.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) {
        source.removeAllListeners('data');
        source.resume();
        reject(requestEntityTooLarge(limitBytes));
        return;
      }
      chunks.push(chunk);
    });
    source.once('end', () => {
      isDone = true;
      if (chunks.length === 0) resolve(empty);
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
    });
    source.once('error', (cause) => reject(cause));
    source.once('close', () => {
      if (!isDone) reject(badRequest('unexpected EOF'));
    });
  });
}
