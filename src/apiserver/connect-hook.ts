import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Exchange } from './http/exchange.ts';
import type { RequestInfo, ResourceRequestContext } from './request.ts';

/** Why an admission chain refuses or lets pass a connection; throws an ApiStatusError to refuse. */
export type AdmitConnect = (options: Readonly<Record<string, unknown>>) => Promise<void>;

/**
 * Subresources that are connections or streams to somewhere else: exec, attach, portforward, log,
 * proxy. Called after authentication and authorization; errors thrown before anything was sent are
 * answered as a Status.
 */
export interface ConnectHandler {
  handles(info: RequestInfo): boolean;
  request(input: {
    context: ResourceRequestContext;
    exchange: Exchange;
    admit: AdmitConnect;
  }): Promise<void>;
  /** A protocol switch of HTTP/1.1: WebSocket or SPDY. The handler owns the socket. */
  upgrade(input: {
    context: ResourceRequestContext;
    request: IncomingMessage;
    socket: Duplex;
    head: Buffer;
    admit: AdmitConnect;
  }): Promise<void>;
}
