import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { K3tsError } from '#base/errors.ts';
import { http } from '#base/node-http.ts';
import { answerHead, withHeaders } from './headers.ts';
import type { RawHeaders } from './headers.ts';
import { joinSockets } from './join-sockets.ts';
import { openUpgrade } from './open-upgrade.ts';

export interface ProxyUpgradeOptions {
  request: IncomingMessage;
  /** The client's connection and what it sent after the request. */
  socket: Duplex;
  head: Buffer;
  /** The connection to the backend; owned from now on. */
  connection: Duplex;
  method: string;
  /** Path with query on the backend. */
  path: string;
  /** What the backend is sent; see `upgradeHeaders`. */
  headers: RawHeaders;
  signal?: AbortSignal | undefined;
}

/** Headers of a proxied upgrade: the client's own, with it in X-Forwarded-For and another Host. */
export function upgradeHeaders(
  request: IncomingMessage,
  options: { host?: string | undefined; dropped?: readonly string[] } = {},
): string[] {
  const { host, dropped = [] } = options;
  const before = request.headers['x-forwarded-for'];
  const address = request.socket.remoteAddress ?? '';
  const chain = [...(before === undefined ? [] : [before].flat()), address].join(', ');
  const isDropped = (name: string): boolean =>
    name === 'x-forwarded-for' || (host !== undefined && name === 'host') || dropped.includes(name);
  return withHeaders(request.rawHeaders, isDropped, [
    ...(host === undefined ? [] : ['Host', host]),
    'X-Forwarded-For',
    chain,
  ]);
}

/**
 * Passes a protocol switch on to a backend, byte for byte in both directions, and resolves when it
 * is over. A refusal of the backend is passed on as it is. Rejects, with nothing sent to the
 * client, when the backend gives no answer or an impossible one.
 */
export async function proxyUpgrade(options: ProxyUpgradeOptions): Promise<void> {
  const { socket, head, method, path, headers, connection, signal } = options;
  const answer = await openUpgrade({ method, path, headers, connection, signal });
  const { response } = answer;
  const status = response.statusCode ?? 0;
  const statusText = response.statusMessage ?? http.STATUS_CODES[status] ?? '';
  if (answer.isSwitched) {
    socket.write(answerHead(status, statusText, response.rawHeaders));
    if (answer.head.length > 0) socket.write(answer.head);
    if (head.length > 0) answer.socket.write(head);
    await joinSockets(socket, answer.socket);
    return;
  }
  if (status < 400) {
    response.destroy();
    throw new K3tsError('InvalidUpgrade', `invalid upgrade response: status code ${status}`);
  }
  await passRefusal(socket, response, answerHead(status, statusText, refusalHeaders(response)));
}

/** The body ends with the connection, however the backend framed it. */
function refusalHeaders(response: IncomingMessage): string[] {
  const framing = ['connection', 'transfer-encoding', 'keep-alive', 'content-length'];
  const length = response.headers['content-length'];
  return withHeaders(response.rawHeaders, (name) => framing.includes(name), [
    ...(length === undefined ? [] : ['Content-Length', length]),
    'Connection',
    'close',
  ]);
}

async function passRefusal(socket: Duplex, response: IncomingMessage, head: string): Promise<void> {
  socket.on('error', () => response.destroy());
  response.on('error', () => socket.destroy());
  socket.write(head);
  response.pipe(socket);
  await new Promise<void>((resolve) => socket.once('close', resolve));
  response.destroy();
}
