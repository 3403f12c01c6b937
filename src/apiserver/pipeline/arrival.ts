import type { Duplex } from 'node:stream';

import type { IncomingMessage } from 'node:http';
import type { Exchange } from '../http/exchange.ts';
import { splitTarget } from '../http/exchange.ts';
import { peerCertificateOf } from '../http/peer-certificate.ts';

/** Headers and connection of a request, whatever carries it. */
export interface Arrival {
  method: string;
  path: string;
  query: string;
  headers: Exchange['headers'];
  peerCertificate: Buffer | undefined;
  remoteAddress: string;
  signal: () => AbortSignal;
}

export function arrivalOf(exchange: Exchange): Arrival {
  return {
    method: exchange.method,
    path: exchange.path,
    query: exchange.query,
    headers: exchange.headers,
    peerCertificate: exchange.peerCertificate,
    remoteAddress: exchange.remoteAddress,
    signal: () => signalOf(exchange),
  };
}

/** The arrival of a protocol switch. */
export function upgradeArrival(request: IncomingMessage, socket: Duplex): Arrival {
  const { path, query } = splitTarget(request.url ?? '/');
  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers: request.headers,
    peerCertificate: peerCertificateOf(request.socket),
    remoteAddress: request.socket.remoteAddress ?? '',
    signal: () => signalOfSocket(socket),
  };
}

/** Aborted when the client has gone. */
export function signalOf(exchange: Exchange): AbortSignal {
  const controller = new AbortController();
  exchange.onClose(() => controller.abort());
  return controller.signal;
}

function signalOfSocket(socket: Duplex): AbortSignal {
  const controller = new AbortController();
  socket.once('close', () => controller.abort());
  return controller.signal;
}
