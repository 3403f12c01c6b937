import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Exchange } from './http/exchange.ts';
import type { RequestContext, RequestInfo } from './request.ts';

/** An API server behind this one. Asked after authentication and authorization. */
export interface BackingServer {
  /** Answers `exchange` in full and gives its status; never throws once something was sent. */
  request(input: { context: RequestContext; exchange: Exchange }): Promise<number>;
  /** Answers a protocol switch; owns the socket. */
  upgrade(input: {
    context: RequestContext;
    request: IncomingMessage;
    socket: Duplex;
    head: Buffer;
  }): Promise<void>;
}

/** Who answers for a group version in place of this server: an APIService with a Service. */
export interface AggregateHook {
  /** Undefined when this server answers itself. */
  find(info: RequestInfo): BackingServer | undefined;
}
