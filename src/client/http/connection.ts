import tls from 'node:tls';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { createHttp1Transport } from './http1-transport.ts';
import { createHttp2Transport } from './http2-transport.ts';
import type { TlsMaterial, Transport } from './transport.ts';

const connectTimeoutMs = 10_000;

/**
 * Keeps one connection to the server and makes a new one when it is gone: HTTP/2 when the server's
 * ALPN offers it, HTTP/1.1 otherwise. Concurrent callers share one attempt.
 */
export function createConnection(options: { server: URL; tls: TlsMaterial; clock: Clock }): {
  /** The live transport; rejects with K3tsError `NotSent` when the server cannot be reached. */
  transport(): Promise<Transport>;
  /** New requests use a new connection with this certificate; running ones finish on the old. */
  setCertificate(certificate: { cert: string | Buffer; key: string | Buffer }): void;
  close(): void;
} {
  const { server, clock } = options;
  let material = options.tls;
  let current: Transport | undefined;
  let attempt: Promise<Transport> | undefined;
  let isClosed = false;

  const open = async (): Promise<Transport> => {
    if (server.protocol === 'http:') return createHttp1Transport({ server, tls: material });
    const socket = await connectTls(server, material, clock);
    if (socket.alpnProtocol === 'h2') {
      return createHttp2Transport({ origin: server.origin, socket, clock });
    }
    socket.destroy();
    return createHttp1Transport({ server, tls: material });
  };

  const transport = async (): Promise<Transport> => {
    if (current !== undefined && !current.closed) return current;
    if (isClosed) throw new K3tsError('Unavailable', 'the client is closed');
    attempt ??= open().finally(() => {
      attempt = undefined;
    });
    const opened = await attempt;
    if (isClosed) {
      opened.destroy();
      throw new K3tsError('Unavailable', 'the client is closed');
    }
    current = opened;
    return opened;
  };

  return {
    transport,
    setCertificate(certificate) {
      material = { ...material, ...certificate };
      current?.close();
      current = undefined;
    },
    close() {
      isClosed = true;
      current?.destroy();
    },
  };
}

function connectTls(server: URL, material: TlsMaterial, clock: Clock): Promise<tls.TLSSocket> {
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: server.port === '' ? 443 : Number(server.port),
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: material.insecure !== true,
      ...(material.ca === undefined ? {} : { ca: material.ca }),
      ...(material.cert === undefined ? {} : { cert: material.cert }),
      ...(material.key === undefined ? {} : { key: material.key }),
      ...(material.serverName !== undefined
        ? { servername: material.serverName }
        : isAddress
          ? {}
          : { servername: host }),
    });
    const fail = (error: Error): void => {
      timer.cancel();
      socket.destroy();
      reject(
        new K3tsError('NotSent', `cannot reach ${server.origin}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    };
    const timer = clock.after(connectTimeoutMs, () => fail(new Error('connect timed out')));
    socket.on('error', fail);
    socket.on('secureConnect', () => {
      timer.cancel();
      socket.off('error', fail);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}
