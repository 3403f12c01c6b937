import type { IncomingHttpHeaders } from 'node:http';

import type {
  BodyStream,
  Exchange,
  NodeRequest,
  NodeResponse,
  OutgoingHeaders,
  SharedPiece,
} from '../http/exchange.ts';
import type { RequestAudit } from './request-audit.ts';

/** A streamed body beyond this is not told: the event would be larger than backends take. */
const maxKeptBytes = 16 * 1024 * 1024;

/** An exchange whose answer the audit gets to see. */
export class AuditedExchange implements Exchange {
  readonly #inner: Exchange;
  readonly #audit: RequestAudit;
  readonly #isLongRunning: boolean;

  constructor(inner: Exchange, audit: RequestAudit, isLongRunning: boolean) {
    this.#inner = inner;
    this.#audit = audit;
    this.#isLongRunning = isLongRunning;
  }

  get method(): string {
    return this.#inner.method;
  }

  get path(): string {
    return this.#inner.path;
  }

  get query(): string {
    return this.#inner.query;
  }

  get headers(): IncomingHttpHeaders {
    return this.#inner.headers;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get peerCertificate(): Buffer | undefined {
    return this.#inner.peerCertificate;
  }

  get isAnswered(): boolean {
    return this.#inner.isAnswered;
  }

  get isClosed(): boolean {
    return this.#inner.isClosed;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    const body = await this.#inner.readBody(limitBytes);
    this.#audit.noteBody(body, this.headers['content-type']);
    return body;
  }

  answer(status: number, headers: OutgoingHeaders, body: Buffer): void {
    this.#audit.noteAnswer(status, headers, body);
    this.#inner.answer(status, headers, body);
  }

  stream(status: number, headers: OutgoingHeaders): BodyStream {
    if (this.#isLongRunning) {
      this.#audit.started(status);
      return this.#inner.stream(status, headers);
    }
    this.#audit.noteAnswer(status, headers, undefined);
    const stream = this.#inner.stream(status, headers);
    if (!this.#audit.wantsAnswer) return stream;
    this.#audit.streaming();
    this.#inner.onClose(() => this.#audit.streamed());
    return new KeepingStream(stream, (body) => {
      this.#audit.noteAnswer(status, headers, body);
      this.#audit.streamed();
    });
  }

  onClose(listener: () => void): void {
    this.#inner.onClose(listener);
  }

  raw(): { request: NodeRequest; response: NodeResponse } {
    return this.#inner.raw();
  }

  goAway(): void {
    this.#inner.goAway();
  }

  get sentBytes(): number {
    return this.#inner.sentBytes;
  }

  destroy(): void {
    this.#inner.destroy();
  }
}

/** Keeps a copy of what is written, up to a bound. */
class KeepingStream implements BodyStream {
  readonly #inner: BodyStream;
  readonly #onEnd: (body: Buffer | undefined) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(inner: BodyStream, onEnd: (body: Buffer | undefined) => void) {
    this.#inner = inner;
    this.#onEnd = onEnd;
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes;
  }

  get isClosed(): boolean {
    return this.#inner.isClosed;
  }

  write(chunk: Buffer, done?: () => void): boolean {
    this.#keep(chunk);
    return this.#inner.write(chunk, done);
  }

  writeShared(piece: SharedPiece): boolean {
    this.#keep(piece.bytes);
    return this.#inner.writeShared(piece);
  }

  cork(): void {
    this.#inner.cork();
  }

  uncork(): void {
    this.#inner.uncork();
  }

  end(): void {
    const isWhole = this.#bytes <= maxKeptBytes;
    this.#onEnd(isWhole ? Buffer.concat(this.#pieces) : undefined);
    this.#inner.end();
  }

  onDrain(listener: () => void): void {
    this.#inner.onDrain(listener);
  }

  #keep(chunk: Buffer): void {
    this.#bytes += chunk.length;
    // the writer uses its buffers again
    if (this.#bytes <= maxKeptBytes) this.#pieces.push(Buffer.from(chunk));
    else this.#pieces = [];
  }
}
