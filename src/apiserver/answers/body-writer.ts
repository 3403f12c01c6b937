import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Gzip } from 'node:zlib';
import { constants, createGzip, gzip } from 'node:zlib';
import { pieceBytes } from './piece-pool.ts';
import type { PiecePool } from './piece-pool.ts';
import type { BodyStream, Exchange, OutgoingHeaders } from '../http/exchange.ts';

/** Bodies from this size on are compressed when the client takes that, as upstream. */
const compressFromBytes = 128 * 1024;
/** zlib changes its method at 4: the same size for lists of objects at half of the work. */
const compressionLevel = 3;
/** Pieces written before other work gets a turn. */
const piecesPerTurn = 4;

export function acceptsGzip(exchange: Exchange): boolean {
  const accepted = exchange.headers['accept-encoding'];
  return typeof accepted === 'string' && accepted.includes('gzip');
}

/** Sends a complete body, compressed when it is long and the client takes that. */
export async function sendBody(
  exchange: Exchange,
  status: number,
  headers: OutgoingHeaders,
  body: Buffer,
): Promise<void> {
  if (body.length < compressFromBytes || !acceptsGzip(exchange)) {
    exchange.answer(status, headers, body);
    return;
  }
  const packed = await new Promise<Buffer>((resolve, reject) => {
    gzip(body, { level: compressionLevel }, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
  headers['Content-Encoding'] = 'gzip';
  headers['Vary'] = 'Accept-Encoding';
  exchange.answer(status, headers, packed);
}

/**
 * Writes a long body from many small parts: gathers them in pieces, holds back when the client is
 * slow, lets others run in between. A body that fits into one piece goes out with its length.
 */
export class BodyWriter {
  readonly #exchange: Exchange;
  readonly #status: number;
  readonly #headers: OutgoingHeaders;
  readonly #pieces: PiecePool;
  #piece: Buffer;
  #used = 0;
  #full: Buffer[] = [];
  #stream: BodyStream | undefined;
  #gzip: Gzip | undefined;
  #written = 0;
  /** Lets a sender that waits for the client go on. */
  #go: () => void = () => undefined;

  constructor(exchange: Exchange, status: number, headers: OutgoingHeaders, pieces: PiecePool) {
    this.#exchange = exchange;
    this.#status = status;
    this.#headers = headers;
    this.#pieces = pieces;
    this.#piece = pieces.take();
  }

  /** True when enough is gathered that `flush` should be awaited. */
  get isFull(): boolean {
    return this.#full.length > 0;
  }

  text(text: string): void {
    if (text.length * 3 <= this.#piece.length - this.#used) {
      this.#used += this.#piece.write(text, this.#used);
    } else {
      this.bytes(Buffer.from(text), 0);
    }
  }

  byte(value: number): void {
    if (this.#used === this.#piece.length) this.#turn();
    this.#piece[this.#used++] = value;
  }

  bytes(source: Buffer, start: number, end = source.length): void {
    let from = start;
    while (from < end) {
      const room = this.#piece.length - this.#used;
      if (room === 0) {
        this.#turn();
        continue;
      }
      const to = Math.min(end, from + room);
      source.copy(this.#piece, this.#used, from, to);
      this.#used += to - from;
      from = to;
    }
  }

  /** Sends what is full; waits for slow clients. */
  async flush(): Promise<void> {
    const pieces = this.#full;
    this.#full = [];
    const stream = this.#open();
    for (const piece of pieces) {
      if (stream.isClosed) return;
      await this.#send(stream, piece);
      if (++this.#written % piecesPerTurn === 0) await nextTurn();
    }
  }

  /** Sends the rest and ends the answer. */
  async end(): Promise<void> {
    const rest = this.#piece.subarray(0, this.#used);
    if (this.#stream === undefined && this.#full.length === 0) {
      const body = Buffer.from(rest);
      this.#pieces.give(this.#piece);
      await sendBody(this.#exchange, this.#status, this.#headers, body);
      return;
    }
    this.#full.push(rest);
    await this.flush();
    const stream = this.#open();
    if (this.#gzip === undefined) stream.end();
    else this.#gzip.end();
  }

  #turn(): void {
    this.#full.push(this.#piece);
    this.#piece = this.#pieces.take();
    this.#used = 0;
  }

  #open(): BodyStream {
    if (this.#stream !== undefined) return this.#stream;
    const isPacked = acceptsGzip(this.#exchange);
    if (isPacked) {
      this.#headers['Content-Encoding'] = 'gzip';
      this.#headers['Vary'] = 'Accept-Encoding';
    }
    const stream = this.#exchange.stream(this.#status, this.#headers);
    this.#stream = stream;
    if (isPacked) {
      this.#gzip = pack(stream);
      this.#gzip.on('drain', () => this.#go());
    } else {
      stream.onDrain(() => this.#go());
    }
    this.#exchange.onClose(() => this.#go());
    return stream;
  }

  async #send(stream: BodyStream, piece: Buffer): Promise<void> {
    const target = this.#gzip;
    const done = (): void => this.#pieces.give(piece);
    const isReady = target === undefined ? stream.write(piece, done) : target.write(piece, done);
    if (isReady) return;
    await new Promise<void>((resolve) => {
      this.#go = resolve;
    });
  }
}

/** A compressor that writes to `stream`, at the pace of the client. */
function pack(stream: BodyStream): Gzip {
  const packer = createGzip({
    level: compressionLevel,
    chunkSize: pieceBytes,
    flush: constants.Z_NO_FLUSH,
  });
  stream.onDrain(() => packer.resume());
  packer.on('data', (chunk: Buffer) => {
    if (!stream.write(chunk)) packer.pause();
  });
  packer.once('end', () => stream.end());
  return packer;
}
