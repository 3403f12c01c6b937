import type { IncomingMessage } from 'node:http';
import { messageOf } from '#base/errors.ts';
import { https } from '#base/node-http.ts';
import { goErrorText } from '../webhook-client/call-error.ts';
import type { RemoteServer } from './remote-server.ts';

export interface RemoteRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body?: Buffer | undefined;
  readonly signal: AbortSignal;
}

/**
 * One request to an extension server, its answer as it comes. Rejects with Go's words when there is
 * none. A request that may be repeated is, when an idle connection turns out to be dead.
 */
export async function sendRemote(
  server: RemoteServer,
  { method, path, headers, body, signal }: RemoteRequest,
): Promise<IncomingMessage> {
  const { host, port } = server.resolve();
  for (let attempt = 0; ; attempt++) {
    const request = https.request({
      host,
      port,
      method,
      path,
      headers,
      agent: server.agent,
      signal,
    });
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.once('error', reject);
        request.end(body);
      });
    } catch (error) {
      const isDead = request.reusedSocket && (error as { code?: unknown }).code === 'ECONNRESET';
      if (isDead && attempt === 0 && !signal.aborted) continue;
      throw new Error(goErrorText(error, host), { cause: error });
    }
  }
}

/** A whole answer of at most `maxBytes`; rejects for more. */
export async function readRemote(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    answer.destroy();
    throw error instanceof Error ? error : new Error(messageOf(error), { cause: error });
  }
  return Buffer.concat(chunks);
}
