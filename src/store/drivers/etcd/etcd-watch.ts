import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { StoreEvent, StoreWatch, WatchHandler } from '../../backend.ts';
import type { EtcdConnection } from './connection.ts';
import { compacted } from './etcd-errors.ts';
import { encodeWatchCreate, type EtcdEvent, type WatchResponse } from './messages.ts';
import { rangeEndOf, rangeStartOf, watchMethod } from './methods.ts';

const minRetryMs = 100;
const maxRetryMs = 2000;

export interface EtcdWatchOptions {
  connection: EtcdConnection;
  clock: Clock;
  log: Logger;
  prefix: string;
  after: number;
  handler: WatchHandler;
  /** Told every revision that the watch has passed. */
  onRevision: (revision: number) => void;
  onCompacted: (revision: number) => void;
  onClose: (watch: EtcdWatch) => void;
}

/**
 * A watch that outlives its connection: it goes on after the last revision it handed over, so that
 * nothing is missed or repeated. It ends by itself only when etcd has forgotten that revision.
 */
export class EtcdWatch implements StoreWatch {
  readonly #options: EtcdWatchOptions;
  #position: number;
  #stream: ClientDuplexStream<Buffer, WatchResponse> | undefined;
  /** Events of an answer that came in pieces. */
  #fragments: EtcdEvent[] = [];
  #retryMs = minRetryMs;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(options: EtcdWatchOptions) {
    this.#options = options;
    this.#position = options.after;
    this.#open();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#drop();
    this.#options.onClose(this);
  }

  #open(): void {
    const { connection, prefix } = this.#options;
    const stream = connection.stream(watchMethod);
    this.#stream = stream;
    this.#fragments = [];
    const isCurrent = (): boolean => this.#stream === stream;
    stream.on('data', (response: WatchResponse) => {
      if (isCurrent()) this.#receive(response);
    });
    stream.on('error', (error: Error) => {
      if (isCurrent()) this.#reconnect(messageOf(error));
    });
    stream.on('end', () => {
      if (isCurrent()) this.#reconnect('the stream ended');
    });
    stream.write(
      encodeWatchCreate({
        key: rangeStartOf(prefix),
        rangeEnd: rangeEndOf(prefix),
        startRevision: this.#position + 1,
      }),
    );
  }

  #receive(response: WatchResponse): void {
    if (response.isCanceled) {
      if (response.compactRevision > 0) {
        this.#options.onCompacted(response.compactRevision);
        this.#fail(compacted(this.#position, response.compactRevision));
      } else {
        this.#reconnect(response.cancelReason);
      }
      return;
    }
    this.#retryMs = minRetryMs;
    if (response.isCreated) return;
    if (response.isFragment) {
      this.#fragments.push(...response.events);
      return;
    }
    const events =
      this.#fragments.length === 0 ? response.events : [...this.#fragments, ...response.events];
    this.#fragments = [];
    // without events it says that nothing is missing up to this revision
    const last = events.at(-1)?.item.modRevision ?? response.revision;
    if (last <= this.#position) return;
    const from = this.#position;
    this.#position = last;
    this.#options.onRevision(last);
    this.#deliver(events.filter((event) => event.item.modRevision > from).map(storeEvent));
  }

  #deliver(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    const { handler, log, prefix } = this.#options;
    try {
      handler.onEvents(events);
    } catch (error) {
      log.error('Watch handler failed', { prefix, error: messageOf(error) });
      this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #reconnect(reason: string): void {
    this.#drop();
    if (this.#isClosed) return;
    const { log, prefix, clock } = this.#options;
    if (this.#retryMs === minRetryMs) {
      log.warning('Watch of etcd was interrupted, connecting again', { prefix, reason });
    }
    this.#retry = clock.after(this.#retryMs, () => this.#open());
    this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs);
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.handler.onError(error);
  }

  #drop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    stream.on('error', () => undefined);
    stream.cancel();
  }
}

/** etcd remembers no last state of a deleted key but the one before. */
function storeEvent({ isDelete, item, previous }: EtcdEvent): StoreEvent {
  return {
    type: isDelete ? 'delete' : 'put',
    key: item.key,
    value: isDelete ? (previous?.value ?? Buffer.alloc(0)) : item.value,
    createRevision: isDelete ? (previous?.createRevision ?? 0) : item.createRevision,
    modRevision: item.modRevision,
    previous: previous?.value,
  };
}
