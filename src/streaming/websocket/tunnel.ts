import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { createWebSocketStream } from 'ws';
import { joinSockets } from '../upgrade/join-sockets.ts';

const prefix = 'SPDY/3.1+';
const suffix = '.k8s.io';

/**
 * The stream protocol inside the first subprotocol that tunnels SPDY (`portforward.k8s.io` for
 * `SPDY/3.1+portforward.k8s.io`), and that subprotocol; undefined when none is offered.
 */
export function findTunnelProtocol(
  offered: readonly string[],
): { subprotocol: string; inner: string } | undefined {
  const subprotocol = offered.find((one) => one.startsWith(prefix) && one.endsWith(suffix));
  if (subprotocol === undefined) return undefined;
  return { subprotocol, inner: subprotocol.slice(prefix.length) };
}

/**
 * Carries the bytes of a SPDY connection in the binary messages of a WebSocket, whose borders mean
 * nothing. Resolves when both are closed; the one that ends first ends the other.
 */
export async function tunnelSpdy(options: {
  webSocket: WebSocket;
  socket: Duplex;
  /** Bytes that came with the answer to the upgrade. */
  head: Buffer;
}): Promise<void> {
  const { webSocket, socket, head } = options;
  const messages = createWebSocketStream(webSocket);
  if (head.length > 0) messages.write(head);
  await joinSockets(messages, socket);
}
