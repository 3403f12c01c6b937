import { Duplex } from 'node:stream';
import type { SpdyHeaders } from './header-block.ts';
import { SpdyError } from './spdy-error.ts';

/** What a stream asks of its connection. */
export interface StreamLink {
  sendData(streamId: number, data: Buffer, isFin: boolean, done: (error?: Error) => void): void;
  /** Tells the peer that the stream is of no more interest. */
  sendReset(streamId: number): void;
  forget(streamId: number): void;
}

/**
 * One stream of a connection. `end()` is FIN, `destroy()` resets it. A reset by the peer ends the
 * reading side after what came before it, because Go servers reset all streams when they are done;
 * only writing fails then, with SpdyError `SpdyReset`. So does the end of the connection, with
 * `SpdyClosed`. Owners that write listen for `error`.
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  /** The headers that the stream was opened with. */
  readonly headers: SpdyHeaders;
  /** Resolves when the peer has accepted the stream; rejects when it refused it. */
  readonly accepted: Promise<void>;
  readonly #link: StreamLink;
  readonly #answer: PromiseWithResolvers<void>;
  #waiting: (() => void) | undefined;
  #isRemoteDone = false;
  #isAccepted = false;
  #isReset = false;

  constructor(options: { id: number; headers: SpdyHeaders; link: StreamLink }) {
    super({ allowHalfOpen: true });
    this.id = options.id;
    this.headers = options.headers;
    this.#link = options.link;
    this.#answer = Promise.withResolvers();
    this.accepted = this.#answer.promise;
    this.accepted.catch(() => undefined);
  }

  /** The peer has answered SYN_STREAM. */
  accept(): void {
    this.#isAccepted = true;
    this.#answer.resolve();
  }

  /** Hands over data of the peer; waits for the reader when it is behind. */
  async receive(data: Buffer): Promise<void> {
    if (this.destroyed || this.readableEnded || data.length === 0) return;
    if (this.push(data)) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** The peer sends no more: FIN, or the end of the connection. */
  receiveEnd(): void {
    if (this.#isRemoteDone) return;
    this.#isRemoteDone = true;
    if (!this.destroyed) this.push(null);
    this.#forgetWhenDone();
  }

  /** The peer has reset the stream, or refused it. */
  receiveReset(): void {
    this.#isReset = true;
    this.#link.forget(this.id);
    this.#answer.reject(resetError());
    if (this.#isAccepted) this.receiveEnd();
    else this.destroy();
  }

  override _read(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#isReset) done(resetError());
    else this.#link.sendData(this.id, data, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#isReset) {
      done();
      return;
    }
    this.#link.sendData(this.id, Buffer.alloc(0), true, (error) => {
      done(error);
      this.#forgetWhenDone();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    this.#answer.reject(error ?? new SpdyError('SpdyClosed', 'the stream was closed'));
    if (!this.#isRemoteDone || !this.writableFinished) this.#link.sendReset(this.id);
    this.#link.forget(this.id);
    done(error);
  }

  #forgetWhenDone(): void {
    if (this.#isRemoteDone && this.writableEnded) this.#link.forget(this.id);
  }
}

function resetError(): SpdyError {
  return new SpdyError('SpdyReset', 'Stream reset');
}
