import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { wasNotSent } from './etcd-errors.ts';

/** PEM texts for talking TLS to a datastore; all absent for the system's authorities. */
export interface DatastoreTls {
  readonly ca?: Buffer | undefined;
  readonly certificate?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface Method<T> {
  readonly path: string;
  readonly decode: (bytes: Buffer) => T;
}

/** Longer than an election; a call that takes longer has met a member without its majority. */
const callTimeoutMs = 10_000;

/** A stream that ends by itself when the member it goes to has lost its leader. */
const leaderMetadata = 'hasleader';

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // members are asked for by name or address, never through a proxy
  'grpc.enable_http_proxy': 0,
};

/** One channel for each endpoint, one of which is in use; the next one takes over when it fails. */
export class EtcdConnection {
  readonly #clients: Client[];
  readonly #clock: Clock;
  #current = 0;

  /** `endpoints` are URLs; throws TypeError for one that is none. */
  constructor(options: { endpoints: readonly string[]; tls: DatastoreTls; clock: Clock }) {
    const { endpoints, tls, clock } = options;
    this.#clock = clock;
    this.#clients = endpoints.map((endpoint) => createClient(new URL(endpoint), tls));
  }

  /** A call and its answer; tried at the other endpoints when it could not be sent at all. */
  async call<T>(method: Method<T>, request: Buffer): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const index = this.#current;
      try {
        return await this.#callAt(index, method, request);
      } catch (error) {
        const isLast = attempt >= this.#clients.length;
        this.#leave(index);
        if (isLast || !wasNotSent(error)) throw error;
      }
    }
  }

  /** Opens a stream; whoever opened it ends it with `cancel`. */
  stream<T>(method: Method<T>): ClientDuplexStream<Buffer, T> {
    const metadata = new Metadata();
    metadata.set(leaderMetadata, 'true');
    const index = this.#current;
    const stream = (this.#clients[index] as Client).makeBidiStreamRequest(
      method.path,
      (bytes: Buffer) => bytes,
      method.decode,
      metadata,
    );
    stream.on('error', () => this.#leave(index));
    return stream;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** The next endpoint, unless somebody else has moved on already. */
  #leave(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % this.#clients.length;
  }

  #callAt<T>(index: number, { path, decode }: Method<T>, request: Buffer): Promise<T> {
    const client = this.#clients[index] as Client;
    const deadline = this.#clock.now() + callTimeoutMs;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        decode,
        request,
        new Metadata(),
        { deadline },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(error ?? new TypeError(`no answer to ${path}`));
        },
      );
    });
  }
}

/** A channel to one endpoint; certificates must be for the host that the URL names. */
function createClient(url: URL, tls: DatastoreTls): Client {
  const target = `dns:${url.hostname}:${url.port === '' ? '2379' : url.port}`;
  if (url.protocol !== 'https:') {
    return new Client(target, credentials.createInsecure(), channelOptions);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.certificate ?? null, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  });
  // TLS takes no address as the name that is asked for, and the library would offer it
  const named = isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': 'etcd' };
  return new Client(target, secure, { ...channelOptions, ...named });
}
