import type { IncomingMessage, ServerResponse } from 'node:http';
import { readAll } from './body.ts';
import type { BodyStream, Exchange, OutgoingHeaders, SharedPiece } from './exchange.ts';
import { splitTarget } from './exchange.ts';
import { peerCertificateOf } from './peer-certificate.ts';

/** An exchange over HTTP/1.1. */
export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #body: Http1Body | undefined;
  #sentBytes = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    const { path, query } = splitTarget(request.url ?? '/');
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query;
    this.headers = request.headers;
    this.#request = request;
    this.#response = response;
  }

  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? '';
  }

  get peerCertificate(): Buffer | undefined {
    return peerCertificateOf(this.#request.socket);
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  get isClosed(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    return await readAll(this.#request, this.headers['content-length'], limitBytes);
  }

  answer(status: number, headers: OutgoingHeaders, body: Buffer): void {
    headers['Content-Length'] = body.length;
    this.#sentBytes = body.length;
    this.#response.writeHead(status, headers as Record<string, string>);
    if (this.method === 'HEAD') this.#response.end();
    else this.#response.end(body);
    if (!this.#request.complete) this.#request.resume();
  }

  stream(status: number, headers: OutgoingHeaders): BodyStream {
    this.#response.writeHead(status, headers as Record<string, string>);
    this.#response.flushHeaders();
    this.#body = new Http1Body(this.#response);
    return this.#body;
  }

  onClose(listener: () => void): void {
    this.#response.once('close', listener);
  }

  raw(): { request: IncomingMessage; response: ServerResponse } {
    return { request: this.#request, response: this.#response };
  }

  get sentBytes(): number {
    return this.#body?.sentBytes ?? this.#sentBytes;
  }

  goAway(): void {
    // connections of HTTP/1.1 are closed by their clients
  }

  destroy(): void {
    this.#response.destroy();
  }
}

class Http1Body implements BodyStream {
  readonly #response: ServerResponse;
  readonly #isChunked: boolean;
  sentBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#isChunked = response.chunkedEncoding;
  }

  get pendingBytes(): number {
    return this.#response.socket?.writableLength ?? 0;
  }

  get isClosed(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }

  write(chunk: Buffer, done?: () => void): boolean {
    this.sentBytes += chunk.length;
    return this.#response.write(chunk, done);
  }

  /** Goes past the response object: the chunk is framed already, and is framed once for all. */
  writeShared(piece: SharedPiece): boolean {
    const { socket } = this.#response;
    this.sentBytes += piece.bytes.length;
    if (socket === null || !this.#isChunked) return this.#response.write(piece.bytes);
    return socket.write(piece.chunk);
  }

  cork(): void {
    this.#response.socket?.cork();
  }

  uncork(): void {
    this.#response.socket?.uncork();
  }

  end(): void {
    this.#response.end();
  }

  onDrain(listener: () => void): void {
    const { socket } = this.#response;
    this.#response.on('drain', listener);
    if (socket === null) return;
    socket.on('drain', listener);
    this.#response.once('close', () => socket.removeListener('drain', listener));
  }
}
