import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { listOf } from '../upgrade/headers.ts';

/** Longest message taken from a client; kubectl sends 32 KiB at most. */
const maxMessageBytes = 16 * 1024 * 1024;

/** The subprotocols that a client offers, in its order. */
export function offeredProtocols(request: IncomingMessage): string[] {
  return listOf(request.headers['sec-websocket-protocol']);
}

/**
 * Answers a WebSocket handshake with this subprotocol, or none when it is empty. A malformed
 * handshake closes the socket, and the promise rejects.
 */
export async function acceptWebSocket(options: {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  protocol: string;
}): Promise<WebSocket> {
  const { request, socket, head, protocol } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  // The library takes no names with a slash, as `SPDY/3.1+portforward.k8s.io`: it sees none.
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers;
  const seen = Object.create(request, { headers: { value: headers } }) as IncomingMessage;
  if (protocol !== '')
    server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return await new Promise((resolve, reject) => {
    server.once('wsClientError', (error, refused) => {
      refused.destroy();
      reject(error);
    });
    server.handleUpgrade(seen, socket, head, resolve);
  });
}
