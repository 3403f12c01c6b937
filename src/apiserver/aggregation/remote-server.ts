import type { Agent } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Duplex } from 'node:stream';
import { isIP } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import { https } from '#base/node-http.ts';
import type { APIService } from '#schema/types.ts';
import type { ServiceResolver } from '../webhook-client/mod.ts';

const dialTimeoutMs = 30_000;
const maxIdleConnections = 16;
const defaultPort = 443;

/** What this server shows extension servers, PEM: the request-header client certificate. */
export interface ProxyCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface RemoteServerOptions {
  readonly service: APIService;
  readonly resolver: ServiceResolver;
  readonly certificate: () => ProxyCertificate;
  readonly clock: Clock;
}

/** Where to connect, and as whom. */
export interface RemoteAddress {
  readonly host: string;
  readonly port: number;
}

/** The Service behind an APIService: resolves an endpoint per request and keeps connections. */
export class RemoteServer {
  #service: APIService;
  readonly #options: RemoteServerOptions;
  #agent: Agent | undefined;
  #agentCertificate = '';

  constructor(options: RemoteServerOptions) {
    this.#service = options.service;
    this.#options = options;
  }

  get service(): APIService {
    return this.#service;
  }

  /** Takes a newer state of the object; connections of another Service or trust are dropped. */
  update(service: APIService): void {
    const isSame = connectionKey(service) === connectionKey(this.#service);
    this.#service = service;
    if (!isSame) this.close();
  }

  /** An endpoint of the Service; throws with upstream's text when there is none. */
  resolve(): RemoteAddress {
    const { service } = this.service.spec ?? {};
    const { namespace = '', name = '', port = defaultPort } = service ?? {};
    return this.#options.resolver.resolve(namespace, name, port);
  }

  get serverName(): string {
    const { name = '', namespace = '' } = this.service.spec?.service ?? {};
    return `${name}.${namespace}.svc`;
  }

  /** TLS of new connections; the server is known by its Service's name. */
  get tls(): ConnectionOptions {
    const { caBundle, insecureSkipTLSVerify = false } = this.service.spec ?? {};
    return {
      ...this.#options.certificate(),
      servername: this.serverName,
      rejectUnauthorized: !insecureSkipTLSVerify,
      ...(caBundle === undefined ? {} : { ca: Buffer.from(caBundle, 'base64') }),
    };
  }

  /** Connections for requests; made anew when this server's certificate was renewed. */
  get agent(): Agent {
    const { cert } = this.#options.certificate();
    if (this.#agent === undefined || this.#agentCertificate !== cert) {
      this.#agent?.destroy();
      this.#agentCertificate = cert;
      this.#agent = new https.Agent({
        ...this.tls,
        keepAlive: true,
        maxFreeSockets: maxIdleConnections,
      });
    }
    return this.#agent;
  }

  /** A connection of its own, for a protocol switch. */
  dial(signal: AbortSignal): Promise<Duplex> {
    const address = this.resolve();
    return new Promise((resolve, reject) => {
      const socket = connectTls({ ...address, ...this.tls });
      const fail = (error: Error): void => {
        cleanUp();
        socket.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(new K3tsError('DialFailed', 'context canceled'));
      const target = isIP(address.host) === 6 ? `[${address.host}]` : address.host;
      const timer = this.#options.clock.after(dialTimeoutMs, () => {
        fail(new K3tsError('DialFailed', `dial tcp ${target}:${address.port}: i/o timeout`));
      });
      const cleanUp = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        socket.off('error', fail);
        // Later errors close the socket, which its new owner looks at.
        socket.on('error', () => undefined);
      };
      socket.once('error', fail);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('secureConnect', () => {
        cleanUp();
        resolve(socket);
      });
    });
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }
}

function connectionKey({ spec }: APIService): string {
  return JSON.stringify([spec?.service, spec?.caBundle, spec?.insecureSkipTLSVerify]);
}
