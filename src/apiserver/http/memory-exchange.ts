import type { IncomingHttpHeaders } from 'node:http';
import type { RawRequest, RawResponse } from '#client/mod.ts';
import { plainError } from '../api-errors.ts';
import type {
  BodyStream,
  Exchange,
  NodeRequest,
  NodeResponse,
  OutgoingHeaders,
  SharedPiece,
} from './exchange.ts';
import { splitTarget } from './exchange.ts';
import { memoryRequest, memoryResponse } from './memory-stream.ts';

/** An exchange without a network, for requests from this process; the answer is gathered. */
export class MemoryExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress = '127.0.0.1';
  readonly peerCertificate = undefined;
  readonly sentBytes = 0;
  readonly response: Promise<RawResponse>;
  readonly #body: Buffer;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: RawResponse) => void;
  readonly #reject: (error: Error) => void;
  #isAnswered = false;

  constructor(request: RawRequest, userAgent: string) {
    const { path, query } = splitTarget(request.path);
    this.method = request.method;
    this.path = path;
    this.query = query;
    const headers = Object.entries(request.headers ?? {});
    this.headers = {
      'user-agent': userAgent,
      ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    };
    this.#body = request.body ?? Buffer.alloc(0);
    this.#signal = request.signal;
    const { promise, resolve, reject } = Promise.withResolvers<RawResponse>();
    this.response = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error), {
      once: true,
    });
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  get isClosed(): boolean {
    return this.#signal?.aborted ?? false;
  }

  readBody(): Promise<Buffer> {
    return Promise.resolve(this.#body);
  }

  answer(status: number, headers: OutgoingHeaders, body: Buffer): void {
    this.#isAnswered = true;
    this.#resolve({ status, headers: plainHeaders(headers), body });
  }

  stream(status: number, headers: OutgoingHeaders): BodyStream {
    this.#isAnswered = true;
    const pieces: Buffer[] = [];
    const isClosed = (): boolean => this.isClosed;
    return {
      pendingBytes: 0,
      get isClosed() {
        return isClosed();
      },
      write: (chunk) => pieces.push(Buffer.from(chunk)) > 0,
      writeShared: (piece: SharedPiece) => pieces.push(piece.bytes) > 0,
      cork: () => undefined,
      uncork: () => undefined,
      end: () =>
        this.#resolve({ status, headers: plainHeaders(headers), body: Buffer.concat(pieces) }),
      onDrain: () => undefined,
    };
  }

  onClose(listener: () => void): void {
    this.#signal?.addEventListener('abort', listener, { once: true });
  }

  raw(): { request: NodeRequest; response: NodeResponse } {
    const { method, headers } = this;
    const path = this.query === '' ? this.path : `${this.path}?${this.query}`;
    return {
      request: memoryRequest({ method, path, headers, body: this.#body }),
      response: memoryResponse(this.#resolve, this.#reject),
    };
  }

  goAway(): void {
    // there is no connection
  }

  destroy(): void {
    this.#reject(plainError('the answer was cut off'));
  }
}

function plainHeaders(headers: OutgoingHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}
