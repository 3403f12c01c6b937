import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import { systemClock } from '#base/clock.ts';

const waitMs = 60_000;

export interface WatchEvent {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** The events of a watch, one by one. */
export interface WatchReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The next event; undefined when the stream has ended. Rejects when none comes in a minute. */
  next(): Promise<WatchEvent | undefined>;
  close(): void;
}

/** Reads events that come as lines of JSON from an answer, or from any stream of text. */
export function watchReader(
  stream: Readable,
  status: number,
  headers: IncomingHttpHeaders,
): WatchReader {
  const events: WatchEvent[] = [];
  let rest = '';
  const state = { isEnded: false };
  let wake: () => void = () => undefined;
  const end = (): void => {
    state.isEnded = true;
    wake();
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') events.push(JSON.parse(line) as WatchEvent);
    wake();
  });
  stream.on('end', end);
  stream.on('close', end);
  stream.on('error', end);
  return {
    status,
    headers,
    async next() {
      const endMs = systemClock.monotonicMs() + waitMs;
      while (events.length === 0 && !state.isEnded) {
        const leftMs = endMs - systemClock.monotonicMs();
        if (leftMs <= 0) throw new Error('no event came');
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        const timer = systemClock.after(leftMs, woken.resolve);
        await woken.promise;
        timer.cancel();
      }
      return events.shift();
    },
    close: () => stream.destroy(),
  };
}
