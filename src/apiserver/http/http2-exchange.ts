import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { readAll } from './body.ts';
import type { BodyStream, Exchange, OutgoingHeaders, SharedPiece } from './exchange.ts';
import { splitTarget } from './exchange.ts';
import { peerCertificateOf } from './peer-certificate.ts';

/** Headers that HTTP/2 forbids. */
const connectionHeaders = new Set(['connection', 'transfer-encoding', 'keep-alive']);

/** An exchange over one stream of an HTTP/2 connection. */
export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly #stream: ServerHttp2Stream;
  readonly #rawHeaders: readonly string[];
  #body: Http2Body | undefined;
  #sentBytes = 0;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) {
    const { path, query } = splitTarget(headers[':path'] ?? '/');
    this.method = headers[':method'] ?? 'GET';
    this.path = path;
    this.query = query;
    this.headers = headers;
    this.#stream = stream;
    this.#rawHeaders = rawHeaders;
  }

  get remoteAddress(): string {
    return this.#stream.session?.socket.remoteAddress ?? '';
  }

  get peerCertificate(): Buffer | undefined {
    const { session } = this.#stream;
    return session === undefined ? undefined : peerCertificateOf(session.socket);
  }

  get isAnswered(): boolean {
    return this.#stream.headersSent;
  }

  get isClosed(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    return await readAll(this.#stream, this.headers['content-length'], limitBytes);
  }

  answer(status: number, headers: OutgoingHeaders, body: Buffer): void {
    if (this.isClosed) return;
    headers['content-length'] = body.length;
    this.#sentBytes = body.length;
    if (this.method === 'HEAD' || body.length === 0) {
      this.#stream.respond(http2Headers(status, headers), { endStream: true });
    } else {
      this.#stream.respond(http2Headers(status, headers));
      this.#stream.end(body);
    }
    if (!this.#stream.readableEnded) this.#stream.resume();
  }

  stream(status: number, headers: OutgoingHeaders): BodyStream {
    if (!this.isClosed) this.#stream.respond(http2Headers(status, headers));
    this.#body = new Http2Body(this.#stream);
    return this.#body;
  }

  onClose(listener: () => void): void {
    this.#stream.once('close', listener);
  }

  raw(): { request: Http2ServerRequest; response: Http2ServerResponse } {
    const request = new Http2ServerRequest(this.#stream, this.headers, {}, this.#rawHeaders);
    return { request, response: new Http2ServerResponse(this.#stream) };
  }

  get sentBytes(): number {
    return this.#body?.sentBytes ?? this.#sentBytes;
  }

  goAway(): void {
    this.#stream.session?.close();
  }

  destroy(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

function http2Headers(status: number, headers: OutgoingHeaders): Record<string, string | number> {
  const result: Record<string, string | number> = { ':status': status };
  for (const name in headers) {
    const lower = name.toLowerCase();
    if (!connectionHeaders.has(lower)) result[lower] = headers[name] as string;
  }
  return result;
}

class Http2Body implements BodyStream {
  readonly #stream: ServerHttp2Stream;
  sentBytes = 0;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  get pendingBytes(): number {
    return this.#stream.writableLength;
  }

  get isClosed(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  write(chunk: Buffer, done?: () => void): boolean {
    this.sentBytes += chunk.length;
    return this.isClosed ? true : this.#stream.write(chunk, done);
  }

  writeShared(piece: SharedPiece): boolean {
    return this.write(piece.bytes);
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  end(): void {
    if (!this.isClosed) this.#stream.end();
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }
}
