import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { KubeletTransport } from './kubelet-transport.ts';

const dialTimeoutMs = 30_000;
const keepAliveMs = 30_000;

export interface DirectTransportOptions {
  clock: Clock;
  /** Asked at every connection, because certificates are renewed: PEM texts. */
  credentials: () => {
    /** The client-kube-apiserver certificate and its key. */
    certificate: string;
    key: string;
    /** The authority of kubelets' serving certificates. */
    authority: string;
  };
}

/** Reaches kubelets and pods over the network as it is. */
export function createDirectTransport(options: DirectTransportOptions): KubeletTransport {
  const { clock, credentials } = options;
  return {
    async connectKubelet({ host, port }, { signal, isUnverified = false }) {
      const { certificate, key, authority } = credentials();
      return await dial(
        clock,
        signal,
        { host, port },
        {
          cert: certificate,
          key,
          ca: authority,
          rejectUnauthorized: !isUnverified,
        },
      );
    },
    async connectBackend({ host, port, isTls }, { signal }) {
      const tls = isTls ? { rejectUnauthorized: false } : undefined;
      return await dial(clock, signal, { host, port }, tls);
    },
  };
}

/** Connects, and speaks TLS when asked to; ended by the signal or after the time limit. */
function dial(
  clock: Clock,
  signal: AbortSignal,
  address: { host: string; port: number },
  tls: ConnectionOptions | undefined,
): Promise<Duplex> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const names = isIP(host) === 0 ? { servername: host } : {};
    const socket: Socket =
      tls === undefined ? connectTcp(address) : connectTls({ ...tls, ...names, host, port });
    const target = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
    const fail = (text: string, cause?: unknown): void => {
      cleanUp();
      socket.destroy();
      reject(new K3tsError('DialFailed', text, { cause }));
    };
    const onError = (error: NodeJS.ErrnoException): void => fail(goText(error, target), error);
    const onAbort = (): void => fail(`dial tcp ${target}: operation was canceled`);
    const timer = clock.after(dialTimeoutMs, () => fail(`dial tcp ${target}: i/o timeout`));
    const cleanUp = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      // Errors after the hand-over close the socket, which is what its new owner looks at.
      socket.on('error', () => undefined);
    };
    socket.once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      cleanUp();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      resolve(socket);
    });
  });
}

const goTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  ENOTFOUND: 'no such host',
};

function goText(error: NodeJS.ErrnoException, target: string): string {
  const known = goTexts[error.code ?? ''];
  if (known !== undefined) return `dial tcp ${target}: ${known}`;
  if (error.code === 'ECONNRESET') return `read tcp ${target}: connection reset by peer`;
  return `tls: failed to verify certificate: ${error.message}`;
}
