import type { Clock } from '#base/clock.ts';

interface Sample {
  timeMs: number;
  nanoseconds: number;
  rate: number | undefined;
}

/** Samples closer than this give no meaningful rate. */
const shortestMs = 1000;
/** What nobody has asked for this long is forgotten. */
const longestMs = 15 * 60_000;

/** Turns growing CPU times into nanocores, from one question to the next. */
export interface CpuRates {
  /** Undefined until there are two samples a second or more apart. */
  rate(key: string, nanoseconds: number): number | undefined;
}

export function createCpuRates(clock: Clock): CpuRates {
  const samples = new Map<string, Sample>();
  let sweptMs = clock.monotonicMs();

  const sweep = (nowMs: number): void => {
    if (nowMs - sweptMs < longestMs) return;
    sweptMs = nowMs;
    for (const [key, sample] of samples) {
      if (nowMs - sample.timeMs > longestMs) samples.delete(key);
    }
  };

  return {
    rate(key, nanoseconds) {
      const nowMs = clock.monotonicMs();
      sweep(nowMs);
      const before = samples.get(key);
      if (before === undefined || nanoseconds < before.nanoseconds) {
        samples.set(key, { timeMs: nowMs, nanoseconds, rate: undefined });
        return undefined;
      }
      const elapsedMs = nowMs - before.timeMs;
      if (elapsedMs < shortestMs) return before.rate;
      const rate = Math.round(((nanoseconds - before.nanoseconds) * 1000) / elapsedMs);
      samples.set(key, { timeMs: nowMs, nanoseconds, rate });
      return rate;
    },
  };
}
