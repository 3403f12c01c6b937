import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { messageOf } from '#base/errors.ts';
import { http, https } from '#base/node-http.ts';
import { answerHead } from '#streaming/mod.ts';
import { createRequestAuthenticator } from './access/authenticate.ts';
import { createRequestAuthorizer } from './access/authorize.ts';
import { answerStream } from './handlers/stream-handler.ts';
import { countRequest } from './count-request.ts';
import { KubeletRequestError } from './request-error.ts';
import { findRoute, notFound, readTarget } from './routes.ts';
import type { KubeletServerOptions, KubeletTls } from './server-options.ts';
import { createCpuRates } from './stats/rates.ts';

export interface KubeletServer {
  /** Resolves with the port when both listeners are open. */
  listen(): Promise<number>;
  /** New connections get these certificates; those that are open stay. */
  setTls(tls: KubeletTls): void;
  /** Ends all connections, exec sessions included. */
  close(): Promise<void>;
}

const switching = ['exec', 'attach', 'portForward'] as const;

/** The kubelet's HTTPS API (10250), and its health on loopback (10248). */
export function createKubeletServer(options: KubeletServerOptions): KubeletServer {
  const { log, clock } = options;
  const authenticate = createRequestAuthenticator(options);
  const authorize = createRequestAuthorizer(options);
  const rates = createCpuRates(clock);
  const sockets = new Set<Duplex>();

  const admit = async (request: IncomingMessage): Promise<URL> => {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const user = await authenticate(request);
    if (user === undefined) throw new KubeletRequestError(401, 'Unauthorized');
    await authorize(user, request.method ?? 'GET', url.pathname);
    return url;
  };

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const done = countRequest(options, request);
    response.once('close', done);
    try {
      const url = await admit(request);
      const segments = segmentsOf(url);
      const route = findRoute(request.method ?? 'GET', segments, options);
      const query = url.searchParams;
      await route.answer({ options, rates, request, response, segments, query });
    } catch (error) {
      const failure = toRequestError(error);
      if (failure.httpCode >= 500) {
        log.warning('kubelet request failed', { path: request.url, error: failure.message });
      }
      if (response.headersSent) {
        response.destroy();
        return;
      }
      response.writeHead(failure.httpCode, { 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(failure.message);
    }
  };

  const onUpgrade = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> => {
    socket.on('error', () => undefined);
    const done = countRequest(options, request);
    socket.once('close', done);
    try {
      const url = await admit(request);
      const segments = segmentsOf(url);
      const command = switching.find((name) => name === segments[0]);
      if (command === undefined) throw notFound();
      findRoute(request.method ?? 'GET', segments, options);
      const exchange = { request, socket, head, query: url.searchParams };
      await answerStream(options, command, readTarget(segments), exchange);
    } catch (error) {
      const failure = toRequestError(error);
      log.debug('kubelet refuses a stream', { path: request.url, error: failure.message });
      refuseUpgrade(socket, failure);
    }
  };

  const server = https.createServer({
    ...secureContext(options.tls),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  server.requestTimeout = 0;
  server.on('request', (request, response) => void onRequest(request, response));
  server.on('upgrade', (request, socket, head) => void onUpgrade(request, socket, head));
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error) => {
    log.debug('TLS handshake with the kubelet failed', { error: error.message });
  });
  const health = options.healthzPort === undefined ? undefined : createHealthServer();

  return {
    async listen() {
      if (health !== undefined) {
        await listenOn(health, options.healthzPort ?? 0, options.healthzAddress ?? '127.0.0.1');
      }
      return await listenOn(server, options.port, options.address);
    },
    setTls: (tls) => server.setSecureContext(secureContext(tls)),
    async close() {
      const closed = [server, health].map(
        (one) =>
          new Promise<void>((resolve) =>
            one === undefined ? resolve() : one.close(() => resolve()),
          ),
      );
      for (const socket of sockets) socket.destroy();
      health?.closeAllConnections();
      await Promise.all(closed);
    },
  };
}

function secureContext(tls: KubeletTls): SecureContextOptions {
  return { cert: tls.certificate, key: tls.key, ca: tls.clientAuthority };
}

/** Anybody on this machine may know whether the kubelet is alive. */
function createHealthServer(): HttpServer {
  return http.createServer((request, response) => {
    const isHealth = /^\/healthz(?:\/(?:ping|log|syncloop))?(?:\?|$)/.test(request.url ?? '');
    response.writeHead(isHealth ? 200 : 404, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(isHealth ? 'ok' : '404 page not found\n');
  });
}

async function listenOn(
  server: Server | HttpServer,
  port: number,
  address: string,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

function segmentsOf(url: URL): string[] {
  const parts = url.pathname.split('/').filter((part) => part !== '');
  try {
    return parts.map(decodeURIComponent);
  } catch (error) {
    throw new KubeletRequestError(400, messageOf(error), error);
  }
}

function toRequestError(error: unknown): KubeletRequestError {
  if (error instanceof KubeletRequestError) return error;
  return new KubeletRequestError(500, messageOf(error), error);
}

function refuseUpgrade(socket: Duplex, failure: KubeletRequestError): void {
  const body = failure.message;
  const head = answerHead(failure.httpCode, '', [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Connection',
    'close',
  ]);
  socket.end(head + body);
}
