import http2 from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { flattenHeaders } from './transport.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** As client-go: a connection silent for this long is asked for a sign of life. */
const readIdleMs = 30_000;
const pingTimeoutMs = 15_000;

/** Receive windows: large enough for lists, small enough that a burst is not kept for ever. */
const streamWindowBytes = 1 << 20;
const sessionWindowBytes = 4 << 20;

/** One HTTP/2 session over an established TLS connection; all requests and watches share it. */
export function createHttp2Transport(options: {
  origin: string;
  socket: TLSSocket;
  clock: Clock;
}): Transport {
  const { origin, socket, clock } = options;
  const session = http2.connect(origin, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes },
  });
  let isClosed = false;
  let failure: Error | undefined;
  session.on('connect', () => session.setLocalWindowSize(sessionWindowBytes));
  session.on('goaway', () => {
    isClosed = true;
  });
  session.on('error', (error) => {
    isClosed = true;
    failure = error;
  });
  session.on('close', () => {
    isClosed = true;
  });
  watchLiveness({ session, socket, clock });

  const unavailable = (code: string, error: unknown): K3tsError =>
    new K3tsError(code, `cannot reach ${origin}: ${messageOf(failure ?? error)}`, { cause: error });

  const request = (init: TransportRequest): Promise<TransportResponse> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, body, signal } = init;
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      let stream: http2.ClientHttp2Stream;
      try {
        stream = session.request(
          { ':method': method, ':path': path, ...headers },
          { endStream: body === undefined },
        );
      } catch (error) {
        isClosed = true;
        reject(unavailable('NotSent', error));
        return;
      }
      const onAbort = (): void => {
        stream.close(http2.constants.NGHTTP2_CANCEL);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      stream.on('response', (head) => {
        resolve({ status: head[':status'] ?? 0, headers: flattenHeaders(head), body: stream });
      });
      stream.on('error', (error) => reject(unavailable('Unavailable', error)));
      stream.on('close', () => {
        signal?.removeEventListener('abort', onAbort);
        const isRefused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
        reject(
          unavailable(
            isRefused ? 'NotSent' : 'Unavailable',
            new Error('the connection was closed'),
          ),
        );
      });
      if (body !== undefined) stream.end(body);
    });

  return {
    request,
    get closed() {
      return isClosed || session.closed || session.destroyed;
    },
    close() {
      isClosed = true;
      session.close();
    },
    destroy() {
      isClosed = true;
      session.destroy();
    },
  };
}

/**
 * Ends the session when the peer is silent and does not answer a ping; idle ones cost no packet.
 */
function watchLiveness(options: {
  session: http2.ClientHttp2Session;
  socket: TLSSocket;
  clock: Clock;
}): void {
  const { session, socket, clock } = options;
  let lastBytes = -1;
  let timer = clock.after(readIdleMs, check);
  function check(): void {
    if (session.destroyed) return;
    if (socket.bytesRead !== lastBytes) {
      lastBytes = socket.bytesRead;
      timer = clock.after(readIdleMs, check);
      return;
    }
    timer = clock.after(pingTimeoutMs, () => {
      session.destroy(new Error('the server did not answer a ping'));
    });
    session.ping((error) => {
      timer.cancel();
      if (error === null) timer = clock.after(readIdleMs, check);
    });
  }
  session.on('close', () => timer.cancel());
}
