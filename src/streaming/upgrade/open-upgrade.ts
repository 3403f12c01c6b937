import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { http } from '#base/node-http.ts';
import type { RawHeaders } from './headers.ts';

export interface UpgradeRequest {
  method: string;
  /** Path with query. */
  path: string;
  /** With Host, Connection and Upgrade. */
  headers: RawHeaders;
  /** The connection to ask on; owned by the call, and closed when it fails. */
  connection: Duplex;
  signal?: AbortSignal | undefined;
}

export type UpgradeAnswer =
  | { isSwitched: true; response: IncomingMessage; socket: Duplex; head: Buffer }
  /** The server stays with HTTP; the body is to be read or destroyed. */
  | { isSwitched: false; response: IncomingMessage };

/** Asks a server to switch protocols. Rejects when there is no answer; redirects are answers. */
export async function openUpgrade(options: UpgradeRequest): Promise<UpgradeAnswer> {
  const { method, path, headers, connection, signal } = options;
  return await new Promise((resolve, reject) => {
    const request = http.request({
      method,
      path,
      headers: headers as string[],
      setDefaultHeaders: false,
      createConnection: () => connection,
      ...(signal === undefined ? {} : { signal }),
    });
    request.once('upgrade', (response, socket, head) => {
      resolve({ isSwitched: true, response, socket, head });
    });
    request.once('response', (response) => resolve({ isSwitched: false, response }));
    request.once('error', (error) => {
      connection.destroy();
      reject(error);
    });
    request.end();
  });
}

/** At most `limitBytes` of an answer's body; the rest is thrown away. */
export async function readAnswerBody(
  response: IncomingMessage,
  limitBytes: number,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of response) {
    parts.push(part as Buffer);
    sizeBytes += (part as Buffer).length;
    if (sizeBytes >= limitBytes) break;
  }
  response.destroy();
  return Buffer.concat(parts).subarray(0, limitBytes);
}
