import type { Duplex } from 'node:stream';
import { messageOf } from '#base/errors.ts';
import { FrameReader } from './frame-reader.ts';
import { encodeControl, encodeDataHead, maxDataBytes, resetStatus } from './frames.ts';
import type { ControlFrame, Frame } from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';
import type { SpdyHeaders } from './header-block.ts';
import { SpdyError } from './spdy-error.ts';
import { SpdyStream } from './stream.ts';
import type { StreamLink } from './stream.ts';

/** Streams that the peer may have open; one more is refused. */
const maxPeerStreams = 2048;

export interface SpdySessionOptions {
  /** The connection after the upgrade; the session owns it from now on. */
  socket: Duplex;
  /** Bytes that came with the upgrade's answer. */
  head?: Buffer | undefined;
  /** Clients open streams with odd numbers. */
  side: 'client' | 'server';
  /** A stream that the peer opened, accepted already. Absent: all are refused. */
  onStream?: ((stream: SpdyStream) => void) | undefined;
}

/**
 * A SPDY/3.1 connection. Like spdystream, which all Go programs of Kubernetes use, it neither sends
 * nor heeds window updates: a slow reader of one stream stops reading from the connection.
 */
export class SpdySession {
  /** Resolves when the connection has ended, with the reason if it did not end in order. */
  readonly closed: Promise<Error | undefined>;
  readonly #socket: Duplex;
  readonly #onStream: ((stream: SpdyStream) => void) | undefined;
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #reader = new FrameReader();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #link: StreamLink;
  readonly #isClient: boolean;
  #nextStreamId: number;
  #nextPingId: number;
  #lastPeerStreamId = 0;
  #isGoingAway = false;

  constructor(options: SpdySessionOptions) {
    this.#socket = options.socket;
    this.#onStream = options.onStream;
    this.#isClient = options.side === 'client';
    this.#nextStreamId = this.#isClient ? 1 : 2;
    this.#nextPingId = this.#isClient ? 1 : 2;
    this.#link = {
      sendData: (id, data, isFin, done) => this.#sendData(id, data, isFin, done),
      sendReset: (streamId) => {
        if (!this.#streams.has(streamId)) return;
        this.#send({ type: 'rstStream', streamId, status: resetStatus.cancel });
      },
      forget: (streamId) => this.#streams.delete(streamId),
    };
    this.closed = this.#run(options.head ?? Buffer.alloc(0));
  }

  /**
   * Opens a stream. Nothing may be written to it before `accepted` has resolved: spdystream drops
   * data of streams that it has not answered yet.
   */
  openStream(headers: SpdyHeaders): SpdyStream {
    if (this.#isGoingAway) throw new SpdyError('SpdyClosed', 'the connection is closed');
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const stream = this.#addStream(id, headers);
    this.#send({
      type: 'synStream',
      streamId: id,
      associatedId: 0,
      priority: 0,
      isFin: false,
      isUnidirectional: false,
      block: this.#encoder.encode(headers),
    });
    return stream;
  }

  /** Asks the peer for a sign of life; its answer is not waited for. */
  ping(): void {
    this.#send({ type: 'ping', id: this.#nextPingId });
    this.#nextPingId += 2;
  }

  /** Says good-bye and ends the connection after what has been written. */
  close(): void {
    if (!this.#isGoingAway) {
      this.#isGoingAway = true;
      this.#send({ type: 'goAway', lastStreamId: this.#lastPeerStreamId, status: 0 });
    }
    this.#socket.end();
  }

  destroy(): void {
    this.#isGoingAway = true;
    this.#socket.destroy();
    for (const stream of this.#streams.values()) stream.destroy();
  }

  async #run(head: Buffer): Promise<Error | undefined> {
    let failure: Error | undefined;
    try {
      await this.#receive(head);
      const chunks = this.#socket.iterator({ destroyOnReturn: false });
      for await (const chunk of chunks) await this.#receive(chunk as Buffer);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(messageOf(error));
    }
    this.#isGoingAway = true;
    this.#socket.end();
    this.#decoder.close();
    for (const stream of this.#streams.values()) stream.receiveEnd();
    this.#streams.clear();
    return failure;
  }

  async #receive(chunk: Buffer): Promise<void> {
    for (const frame of this.#reader.read(chunk)) {
      const wait = this.#handle(frame);
      if (wait !== undefined) await wait;
    }
  }

  #handle(frame: Frame): Promise<void> | undefined {
    switch (frame.type) {
      case 'data':
        return this.#onData(frame.streamId, frame.data, frame.isFin);
      case 'synStream':
        return this.#onSynStream(frame);
      case 'synReply':
      case 'headers':
        return this.#onHeaders(frame);
      case 'rstStream':
        this.#streams.get(frame.streamId)?.receiveReset();
        return undefined;
      case 'ping':
        if ((frame.id & 1) !== (this.#nextPingId & 1)) this.#send(frame);
        return undefined;
      case 'goAway':
        this.#isGoingAway = true;
        return undefined;
      case 'settings':
      case 'windowUpdate':
        return undefined;
    }
  }

  async #onData(streamId: number, data: Buffer, isFin: boolean): Promise<void> {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    await stream.receive(data);
    if (isFin) stream.receiveEnd();
  }

  async #onHeaders(frame: ControlFrame & { type: 'synReply' | 'headers' }): Promise<void> {
    // Unpacked also when nobody wants it: later blocks build on it.
    await this.#decoder.decode(frame.block);
    const stream = this.#streams.get(frame.streamId);
    if (frame.type === 'synReply') stream?.accept();
    if (frame.isFin) stream?.receiveEnd();
  }

  async #onSynStream(frame: ControlFrame & { type: 'synStream' }): Promise<void> {
    const headers = await this.#decoder.decode(frame.block);
    const { streamId } = frame;
    const isPeers = (streamId & 1) === (this.#isClient ? 0 : 1);
    if (!isPeers || streamId <= this.#lastPeerStreamId) {
      this.#send({ type: 'rstStream', streamId, status: resetStatus.protocolError });
      return;
    }
    this.#lastPeerStreamId = streamId;
    if (this.#onStream === undefined || this.#isGoingAway || this.#streams.size > maxPeerStreams) {
      this.#send({ type: 'rstStream', streamId, status: resetStatus.refusedStream });
      return;
    }
    const stream = this.#addStream(streamId, headers);
    this.#send({ type: 'synReply', streamId, isFin: false, block: this.#encoder.encode({}) });
    stream.accept();
    this.#onStream(stream);
    if (frame.isFin) stream.receiveEnd();
  }

  #addStream(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream({ id, headers, link: this.#link });
    this.#streams.set(id, stream);
    return stream;
  }

  #send(frame: ControlFrame): void {
    if (this.#socket.writable) this.#socket.write(encodeControl(frame));
  }

  #sendData(id: number, data: Buffer, isFin: boolean, done: (error?: Error) => void): void {
    const socket = this.#socket;
    if (!socket.writable) {
      done(new SpdyError('SpdyClosed', 'the connection is closed'));
      return;
    }
    socket.cork();
    let at = 0;
    do {
      const piece = data.subarray(at, at + maxDataBytes);
      at += piece.length;
      const isLast = at >= data.length;
      const head = encodeDataHead(id, piece.length, isFin && isLast);
      if (isLast && piece.length === 0) {
        socket.write(head, (error) => done(error ?? undefined));
      } else {
        socket.write(head);
        if (isLast) socket.write(piece, (error) => done(error ?? undefined));
        else socket.write(piece);
      }
    } while (at < data.length);
    socket.uncork();
  }
}
