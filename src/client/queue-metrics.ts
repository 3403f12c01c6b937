import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

/** Told what becomes of the items of one work queue. */
export interface QueueWatcher {
  added(item: unknown): void;
  taken(item: unknown): void;
  done(item: unknown): void;
  retried(): void;
}

/** Counts work queues under upstream's names, each queue by its name. */
export interface QueueMeter {
  /** A second queue of a name takes the place of the first, whose rest is forgotten. */
  watch(name: string): QueueWatcher;
}

const buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10];
const labels = ['name'];

interface Watched {
  /** When each item came, and when the work on it began. */
  readonly addedMs: Map<unknown, number>;
  readonly startedMs: Map<unknown, number>;
}

/**
 * `names` are those that the metrics have for queues, where they are others. With the signal what
 * waits is forgotten; what was counted stays, so that the next meter over the registry goes on.
 */
export function createQueueMeter(options: {
  registry: MetricRegistry;
  clock: Clock;
  names?: Readonly<Record<string, string>> | undefined;
  signal: AbortSignal;
}): QueueMeter {
  const { registry, clock, names = {}, signal } = options;
  const counter = (name: string, help: string) =>
    registry.counter({ name: `workqueue_${name}`, help, stability: 'BETA', labels });
  const gauge = (name: string, help: string) =>
    registry.gauge({ name: `workqueue_${name}`, help, stability: 'BETA', labels });
  const histogram = (name: string, help: string) =>
    registry.histogram({ name: `workqueue_${name}`, help, stability: 'BETA', labels, buckets });
  const adds = counter('adds_total', 'Items that were added.');
  const retries = counter('retries_total', 'Items that came back after an error.');
  const depth = gauge('depth', 'Items that wait.');
  const unfinished = gauge('unfinished_work_seconds', 'Time spent on work that goes on, in sum.');
  const longest = gauge(
    'longest_running_processor_seconds',
    'Time of the longest work that goes on.',
  );
  const waited = histogram('queue_duration_seconds', 'Time that an item waited.');
  const worked = histogram('work_duration_seconds', 'Time that the work on an item took.');
  const queues = new Map<string, Watched>();
  const forget = (): void => {
    for (const gauges of [depth, unfinished, longest]) gauges.clear();
    queues.clear();
  };
  signal.addEventListener('abort', forget, { once: true });
  registry.onCollect(() => {
    const nowMs = clock.monotonicMs();
    for (const [name, { addedMs, startedMs }] of queues) {
      const seconds = [...startedMs.values()].map((ms) => (nowMs - ms) / 1000);
      depth.with(name).value = addedMs.size;
      unfinished.with(name).value = seconds.reduce((sum, value) => sum + value, 0);
      longest.with(name).value = Math.max(0, ...seconds);
    }
  });
  return {
    watch(loopName) {
      const name = names[loopName] ?? loopName;
      const watched: Watched = { addedMs: new Map(), startedMs: new Map() };
      const { addedMs, startedMs } = watched;
      queues.set(name, watched);
      const [added, retried] = [adds.with(name), retries.with(name)];
      const [waits, works] = [waited.with(name), worked.with(name)];
      return {
        added(item) {
          added.value++;
          if (!addedMs.has(item)) addedMs.set(item, clock.monotonicMs());
        },
        taken(item) {
          const nowMs = clock.monotonicMs();
          const sinceMs = addedMs.get(item);
          addedMs.delete(item);
          startedMs.set(item, nowMs);
          if (sinceMs !== undefined) waits.observe((nowMs - sinceMs) / 1000);
        },
        done(item) {
          const sinceMs = startedMs.get(item);
          startedMs.delete(item);
          if (sinceMs !== undefined) works.observe((clock.monotonicMs() - sinceMs) / 1000);
        },
        retried: () => void retried.value++,
      };
    },
  };
}
