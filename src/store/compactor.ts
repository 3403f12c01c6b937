import type { Clock, Timer } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Backend } from './backend.ts';

/** k3s compacts every five minutes to where the log was five minutes before. */
const defaultIntervalMs = 5 * 60 * 1000;

/** Watches and paged lists that are this close to the newest revision are never cut off. */
const defaultKeepRevisions = 1000;

export interface CompactorOptions {
  backend: Backend;
  clock: Clock;
  log: Logger;
  intervalMs?: number;
  keepRevisions?: number;
}

/** Keeps the history of a backend short until it is closed. */
export interface Compactor {
  /** Stops the timer and waits for a compaction that runs. */
  close(): Promise<void>;
}

/** Starts compacting as k3s does: to the revision seen a tick ago, never the newest thousand. */
export function startCompactor(options: CompactorOptions): Compactor {
  const { backend, clock, log } = options;
  const { intervalMs = defaultIntervalMs, keepRevisions = defaultKeepRevisions } = options;
  let seen = backend.currentRevision;
  let timer: Timer;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;
  let turn = 0;

  /** The revision to compact to at this tick, 0 for none. */
  const nextTarget = async (): Promise<number> => {
    if (backend.takeCompactionTurn === undefined) {
      const current = backend.currentRevision;
      const target = Math.min(seen, current - keepRevisions);
      seen = current;
      return target;
    }
    // the first turn only sets the clock: what was seen at start may be newer than a tick
    const isFirst = turn === 0;
    const target = isFirst ? 0 : seen;
    const taken = await backend.takeCompactionTurn(turn, target);
    turn = taken.turn;
    seen = taken.currentRevision;
    return taken.isMine ? target : 0;
  };

  const tick = async (): Promise<void> => {
    const startMs = clock.monotonicMs();
    try {
      const target = await nextTarget();
      if (target <= backend.compactRevision) return;
      const current = backend.currentRevision;
      await backend.compact(target);
      const tookMs = Math.round(clock.monotonicMs() - startMs);
      log.debug('Compacted the datastore', { revision: target, current, tookMs });
    } catch (error) {
      // Another server or a client of the etcd API got there first.
      if (hasCode(error, 'Compacted') || hasCode(error, 'Closed')) return;
      log.error('Compaction failed, trying again at the next tick', { error: messageOf(error) });
    }
  };
  const arm = (): void => {
    timer = clock.after(intervalMs, () => {
      running = tick().then(() => {
        if (!isClosed) arm();
      });
    });
  };
  arm();
  return {
    async close() {
      isClosed = true;
      timer.cancel();
      await running;
    },
  };
}
