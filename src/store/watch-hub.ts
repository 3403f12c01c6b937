import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { StoreEvent, StoreWatch, WatchHandler } from './backend.ts';

/** A watch. It reads history until it `isLive`; from then on the hub hands it each commit. */
export interface HubWatch extends StoreWatch {
  readonly prefix: string;
  /** The newest revision the watch has seen or does not want. */
  position: number;
  isLive: boolean;
  readonly isClosed: boolean;
  /** Hands events over, unless the watch is closed. */
  deliver(events: readonly StoreEvent[]): void;
  /** Ends the watch, telling its handler why. */
  fail(error: Error): void;
}

/** All watches of a backend. A handler that throws loses its watch, the others are not affected. */
export class WatchHub {
  readonly #watches = new Set<HubWatch>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  get size(): number {
    return this.#watches.size;
  }

  add(prefix: string, after: number, handler: WatchHandler): HubWatch {
    const watches = this.#watches;
    const log = this.#log;
    let isClosed = false;
    const watch: HubWatch = {
      prefix,
      position: after,
      isLive: false,
      get isClosed() {
        return isClosed;
      },
      close() {
        isClosed = true;
        watches.delete(watch);
      },
      deliver(events) {
        if (isClosed || events.length === 0) return;
        try {
          handler.onEvents(events);
        } catch (error) {
          log.error('Watch handler failed', { prefix, error: messageOf(error) });
          watch.fail(error instanceof Error ? error : new Error(messageOf(error)));
        }
      },
      fail(error) {
        if (isClosed) return;
        watch.close();
        handler.onError(error);
      },
    };
    watches.add(watch);
    return watch;
  }

  /** Hands a commit to every live watch; `events` is in revision order. */
  publish(events: readonly StoreEvent[]): void {
    for (const watch of this.#watches) {
      if (!watch.isLive) continue;
      const { prefix, position } = watch;
      const isAll = prefix === '' && events[0]!.modRevision > position;
      watch.deliver(
        isAll
          ? events
          : events.filter((event) => event.modRevision > position && event.key.startsWith(prefix)),
      );
      watch.position = Math.max(position, events.at(-1)!.modRevision);
    }
  }

  failAll(error: Error): void {
    for (const watch of this.#watches) watch.fail(error);
  }

  /** Ends all watches without a word, for the owner that closes the backend. */
  closeAll(): void {
    for (const watch of this.#watches) watch.close();
  }
}
