import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type OutgoingHeaders = Record<string, string | number | readonly string[]>;

/** A body that goes out piece by piece. */
export interface BodyStream {
  /**
   * False when the client is slow: wait for onDrain before writing more. `done` is called when the
   * bytes are no longer needed.
   */
  write(chunk: Buffer, done?: () => void): boolean;
  /** Writes a piece that several clients get; HTTP/1.1 shares its framed form too. */
  writeShared(piece: SharedPiece): boolean;
  /** Bytes that wait for the client. */
  readonly pendingBytes: number;
  readonly isClosed: boolean;
  /** Holds pieces together until `uncork`, so that they leave in few packets. */
  cork(): void;
  uncork(): void;
  end(): void;
  /** Called each time the client has caught up. */
  onDrain(listener: () => void): void;
}

/** Bytes for several clients, with the HTTP/1.1 chunk around them made at most once. */
export class SharedPiece {
  readonly bytes: Buffer;
  #chunk: Buffer | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get chunk(): Buffer {
    this.#chunk ??= frameChunk(this.bytes);
    return this.#chunk;
  }
}

function frameChunk(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafeSlow(size.length + bytes.length + 2);
  chunk.write(size, 0, 'latin1');
  bytes.copy(chunk, size.length);
  chunk.write('\r\n', size.length + bytes.length, 'latin1');
  return chunk;
}

/** Request and response objects of Node, for code that is not ours to change. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** One HTTP request with its answer, over HTTP/1.1 or HTTP/2. */
export interface Exchange {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  /** Query without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly peerCertificate: Buffer | undefined;
  /** True once the answer has been started. */
  readonly isAnswered: boolean;
  /** True when the client went away. */
  readonly isClosed: boolean;
  /** The whole body; throws RequestEntityTooLarge beyond the limit. */
  readBody(limitBytes: number): Promise<Buffer>;
  /** Sends a complete answer. */
  answer(status: number, headers: OutgoingHeaders, body: Buffer): void;
  /** Starts an answer whose length is not known, or that is too long for one piece. */
  stream(status: number, headers: OutgoingHeaders): BodyStream;
  /** Calls back when the client has gone or the exchange is over. */
  onClose(listener: () => void): void;
  /** Node's own objects; after this the exchange must not be used. */
  raw(): { request: NodeRequest; response: NodeResponse };
  /** Bytes of the body handed over so far, as they go out. */
  readonly sentBytes: number;
  /** Asks an HTTP/2 client to use another connection from now on; nothing over HTTP/1.1. */
  goAway(): void;
  /** Cuts the connection or the stream. */
  destroy(): void;
}

/** Splits a request target at the question mark. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: '' };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
