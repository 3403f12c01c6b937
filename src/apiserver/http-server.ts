import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { http, https } from '#base/node-http.ts';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type {
  Http2SecureServer,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { Server as HttpsServer, ServerOptions as HttpsServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Exchange, NodeRequest, NodeResponse } from './http/exchange.ts';
import { Http1Exchange } from './http/http1-exchange.ts';
import { Http2Exchange } from './http/http2-exchange.ts';

/** Windows that keep what a connection can make the server hold small. */
const http2Settings = {
  initialWindowSize: 256 * 1024,
  maxConcurrentStreams: 1000,
  maxHeaderListSize: 1024 * 1024,
};
const maxSessionMemoryMegabytes = 8;
/** As Go's servers: a megabyte, and some room. */
const maxHeaderBytes = 1024 * 1024 + 4096;
const keepAliveMs = 180_000;
/** How long, and how much, a client whose request was refused unread may go on sending. */
const refusedWaitMs = 500;
const refusedRestBytes = 4 * 1024 * 1024;
const headersTimeoutMs = 32_000;

export interface HttpServerOptions {
  clock: Clock;
  log: Logger;
  /** Answers a request; never rejects. */
  handle: (exchange: Exchange) => Promise<void>;
  /** A protocol switch of HTTP/1.1. */
  handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** An HTTP CONNECT; absent: refused. */
  handleConnect?: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined;
  /**
   * Asked first for every path it `wants`: the supervisor's own routes. They get Node's objects and
   * answer everything that they take.
   */
  supervisor?: SupervisorHook | undefined;
}

export interface SupervisorHook {
  /** Whether a path (without query) may be one of its routes; must be cheap. */
  wants(path: string): boolean;
  /** True when it took the request. */
  handle(request: NodeRequest, response: NodeResponse): boolean;
  /** True when it took the protocol switch. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

export interface TlsOptions extends SecureContextOptions {
  cert: string | Buffer;
  key: string | Buffer;
  /** Picks the certificate by server name, when there are several. */
  SNICallback?: (name: string, done: (error: Error | null, context?: never) => void) => void;
  /** HTTP/1.1 alone is spoken. */
  isHttp2Off?: boolean;
  /** Streams that a client may have open on one HTTP/2 connection. */
  maxStreams?: number;
}

/** The listeners of the API server: HTTP/2 and HTTP/1.1 over TLS, plain HTTP for tests. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  /** TLS connections that did not come about. */
  handshakeErrors = 0;
  readonly #servers = new Set<Server | HttpsServer | Http2SecureServer>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Duplex>();
  readonly #open = new Set<Exchange>();

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Listens with TLS; clients may show a certificate, which authentication judges. */
  async listen(options: { host: string; port: number; tls: TlsOptions }): Promise<AddressInfo> {
    const { isHttp2Off = false, maxStreams, ...tls } = options.tls;
    const common = {
      ...tls,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: maxHeaderBytes,
      minVersion: tls.minVersion ?? 'TLSv1.2',
    } as const;
    if (isHttp2Off) return await this.#listenHttp1(common, options);
    const settings =
      maxStreams === undefined
        ? http2Settings
        : { ...http2Settings, maxConcurrentStreams: maxStreams };
    const server = createSecureServer({
      ...common,
      allowHTTP1: true,
      settings,
      maxSessionMemory: maxSessionMemoryMegabytes,
    } as Parameters<typeof createSecureServer>[0]);
    this.#wire(server);
    // with a request listener Node makes request objects for each HTTP/2 stream: they are not needed
    server.removeAllListeners('stream');
    server.on('stream', this.#onStream);
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    this.#watchHandshakes(server);
    return await this.#start(server, options);
  }

  async #listenHttp1(
    tls: HttpsServerOptions,
    place: { host: string; port: number },
  ): Promise<AddressInfo> {
    const server = https.createServer(tls);
    server.headersTimeout = headersTimeoutMs;
    server.requestTimeout = 0;
    this.#wire(server);
    this.#watchHandshakes(server);
    return await this.#start(server, place);
  }

  #watchHandshakes(server: Http2SecureServer | HttpsServer): void {
    server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) => {
      this.handshakeErrors++;
      if (error.code === 'ERR_SSL_HTTP_REQUEST') refusePlainHttp(socket, this.#options.clock);
      this.#options.log.debug('TLS handshake failed', { error: error.message });
    });
  }

  /** Listens without TLS; for tests and loopback only. */
  async listenPlain(options: { host: string; port: number }): Promise<AddressInfo> {
    const server = http.createServer({ maxHeaderSize: maxHeaderBytes });
    server.headersTimeout = headersTimeoutMs;
    server.requestTimeout = 0;
    this.#wire(server);
    return await this.#start(server, options);
  }

  /** New connections get this certificate; open ones keep theirs. */
  setCertificate(tls: { cert: string | Buffer; key: string | Buffer }): void {
    for (const server of this.#servers) {
      if ('setSecureContext' in server) server.setSecureContext(tls);
    }
  }

  /** Accepts nothing new, lets what is under way finish, cuts what is left after `graceMs`. */
  async close(clock: Clock, graceMs: number): Promise<void> {
    const closed = [...this.#servers].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const session of this.#sessions) session.close();
    for (const server of this.#servers)
      if ('closeIdleConnections' in server) server.closeIdleConnections();
    const late = Promise.withResolvers<void>();
    const timer = clock.after(graceMs, late.resolve);
    await Promise.race([Promise.all(closed), late.promise]);
    timer.cancel();
    for (const exchange of this.#open) exchange.destroy();
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #wire(server: Server | HttpsServer | Http2SecureServer): void {
    this.#servers.add(server);
    const anyServer = server as Server;
    anyServer.keepAliveTimeout = keepAliveMs;
    anyServer.on('request', this.#onRequest);
    anyServer.on('upgrade', this.#onUpgrade);
    anyServer.on('connect', this.#onConnect);
    const { clock } = this.#options;
    anyServer.on('clientError', (error, socket) => refuseBadRequest(error, socket, clock));
    const track = (socket: Duplex): void => {
      this.#sockets.add(socket);
      (socket as Socket).setNoDelay(true);
      socket.once('close', () => this.#sockets.delete(socket));
    };
    anyServer.on(
      server instanceof Object && 'setSecureContext' in server ? 'secureConnection' : 'connection',
      track,
    );
  }

  async #start(
    server: Server | HttpsServer | Http2SecureServer,
    { host, port }: { host: string; port: number },
  ): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, 511, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    return server.address() as AddressInfo;
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { supervisor } = this.#options;
    const exchange = new Http1Exchange(request, response);
    if (supervisor?.wants(exchange.path) === true && supervisor.handle(request, response)) return;
    this.#serve(exchange);
  };

  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    stream.on('error', () => undefined);
    const exchange = new Http2Exchange(stream, headers, rawHeaders);
    const { supervisor } = this.#options;
    if (supervisor?.wants(exchange.path) === true) {
      const { request, response } = exchange.raw();
      if (supervisor.handle(request, response)) return;
    }
    this.#serve(exchange);
  };

  #serve(exchange: Exchange): void {
    this.#open.add(exchange);
    exchange.onClose(() => this.#open.delete(exchange));
    void this.#options.handle(exchange);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#options.supervisor?.upgrade?.(request, socket, head) === true) return;
    this.#options.handleUpgrade(request, socket, head);
  };

  readonly #onConnect = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { handleConnect } = this.#options;
    if (handleConnect === undefined) socket.destroy();
    else handleConnect(request, socket, head);
  };
}

/** A request without TLS gets Go's answer, on the connection below the handshake that failed. */
function refusePlainHttp(failed: TLSSocket, clock: Clock): void {
  const { _parent: socket } = failed as TLSSocket & { _parent?: Socket | null };
  if (socket === undefined || socket === null || !socket.writable) return;
  socket.on('error', () => socket.destroy());
  socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
  const timer = clock.after(refusedWaitMs, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}

/** What cannot be parsed gets Go's answer in text, and no more. */
function refuseBadRequest(error: Error & { code?: string }, socket: Duplex, clock: Clock): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const headers = 'Content-Type: text/plain; charset=utf-8\r\nConnection: close';
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${status}`);
  // closed at once, what the client still sends would make it lose the answer
  let rest = refusedRestBytes;
  socket.on('data', (chunk: Buffer) => {
    rest -= chunk.length;
    if (rest < 0) socket.destroy();
  });
  const timer = clock.after(refusedWaitMs, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
