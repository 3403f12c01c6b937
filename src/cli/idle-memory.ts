import { flushCompileCache } from 'node:module';

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { returnFreePages } from '#host/libc.ts';

/** What the process tells about itself; the real one is `process` with `globalThis.gc`. */
export interface MemorySource {
  memoryUsage(): { readonly heapTotal: number; readonly rss: number };
  cpuUsage(): { readonly user: number; readonly system: number };
  /** A full collection that gives pages back; absent without --expose-gc. */
  readonly collect: (() => void) | undefined;
  /** Gives free pages outside the heap back. */
  readonly trim: () => void;
}

/** Late enough for a start to be over. */
const firstCheckMs = 4000;
const checkEveryMs = 15_000;

/** A process that uses less of a CPU than this has time for a full collection. */
const idleShare = 0.05;
const worthwhileBytes = 8 * 2 ** 20;
const worthwhileResidentBytes = 16 * 2 ** 20;

/** The engine frees the memory of buffers on a thread of its own after the collection. */
const trimAfterMs = 1000;

/** After a burst caches let go of its last part with time: the latest changes, some 90 s. */
const settledAfterMs = 120_000;

/** A full collection takes about 3 ms for each MB: larger heaps are left to the engine. */
const largestHeapBytes = 192 * 2 ** 20;

/**
 * Keeps the heap of a long-lived process near what it needs: the engine itself collects only when
 * something is allocated, so an idle process would keep the garbage of its start and of its last
 * burst; what was freed outside of it stays with the C library, in holes between what is in use.
 * Collects and gives pages back when little runs and the process has grown since the last time,
 * and once more when what the caches kept of the burst for a while has aged.
 * Also saves compiled code after the start, which else happens at an orderly end only.
 */
export function keepMemorySmall(options: {
  clock: Clock;
  log: Logger;
  source?: MemorySource | undefined;
  signal: AbortSignal;
}): void {
  const { clock, log, source = processMemory(), signal } = options;
  const { collect } = source;
  let floor = { heapTotal: 0, rss: 0 };
  let cpuMs = 0;
  let checkedMs = clock.monotonicMs();
  /** When to collect once more although nothing has grown. */
  let againAtMs = Infinity;

  const trim = (before: { heapTotal: number; rss: number }): void => {
    if (signal.aborted) return;
    source.trim();
    floor = source.memoryUsage();
    log.debug('Collected garbage while idle', {
      heapBefore: before.heapTotal,
      heapAfter: floor.heapTotal,
      residentBefore: before.rss,
      residentAfter: floor.rss,
    });
    // Neither the collection nor this is work.
    cpuMs = cpuTimeMs(source);
    checkedMs = clock.monotonicMs();
    clock.after(checkEveryMs, check);
  };

  const check = (): void => {
    if (signal.aborted) return;
    const nowMs = clock.monotonicMs();
    const usedMs = cpuTimeMs(source);
    const isIdle = usedMs - cpuMs < (nowMs - checkedMs) * idleShare;
    const usage = source.memoryUsage();
    const hasGrown =
      usage.heapTotal - floor.heapTotal >= worthwhileBytes ||
      usage.rss - floor.rss >= worthwhileResidentBytes;
    const isWorthwhile = hasGrown || nowMs >= againAtMs;
    if (isIdle && isWorthwhile && usage.heapTotal <= largestHeapBytes && collect !== undefined) {
      againAtMs = hasGrown ? nowMs + settledAfterMs : Infinity;
      collect();
      clock.after(trimAfterMs, () => trim(usage));
      return;
    }
    cpuMs = usedMs;
    checkedMs = nowMs;
    clock.after(checkEveryMs, check);
  };

  clock.after(firstCheckMs, () => {
    flushCompileCache();
    cpuMs = cpuTimeMs(source);
    checkedMs = clock.monotonicMs();
    clock.after(firstCheckMs, check);
  });
}

function cpuTimeMs(source: MemorySource): number {
  const { user, system } = source.cpuUsage();
  return (user + system) / 1000;
}

function processMemory(): MemorySource {
  const { gc } = globalThis;
  return {
    memoryUsage: () => process.memoryUsage(),
    cpuUsage: () => process.cpuUsage(),
    collect:
      gc === undefined
        ? undefined
        : () => {
            gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
          },
    trim: returnFreePages,
  };
}
