import { Watch, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { systemClock } from '#base/clock.ts';
import { namespace } from './manifests.ts';

export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly maxMs: number;
}

/** How long pods take from the request until a watcher sees them run, and be gone. */
export interface LatencyMeter {
  onCreated(name: string): void;
  onDeleted(name: string): void;
  /** Forgets what is under way: a process was killed. */
  disturb(): void;
  results(): { start: Percentiles; end: Percentiles };
  close(): void;
}

export function createLatencyMeter(config: KubeConfig): LatencyMeter {
  const watch = new Watch(config);
  const created = new Map<string, number>();
  const deleted = new Map<string, number>();
  const start: number[] = [];
  const end: number[] = [];
  const closing = new AbortController();
  let request: AbortController | undefined;

  const take = (from: Map<string, number>, name: string, into: number[]): void => {
    const sinceMs = from.get(name);
    if (sinceMs === undefined) return;
    from.delete(name);
    into.push(systemClock.monotonicMs() - sinceMs);
  };
  const onEvent = (type: string, pod: V1Pod): void => {
    const { name = '' } = pod.metadata ?? {};
    if (type === 'DELETED') take(deleted, name, end);
    else if ((pod.status?.phase ?? 'Pending') !== 'Pending') take(created, name, start);
  };
  const follow = async (): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    while (!closing.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      request = await watch.watch(path, {}, onEvent, () => resolve()).catch(() => undefined);
      if (request !== undefined) await promise;
      await systemClock.sleep(200);
    }
  };
  void follow();
  return {
    onCreated: (name) => void created.set(name, systemClock.monotonicMs()),
    onDeleted: (name) => void deleted.set(name, systemClock.monotonicMs()),
    disturb() {
      created.clear();
      deleted.clear();
    },
    results: () => ({ start: percentiles(start), end: percentiles(end) }),
    close() {
      closing.abort();
      request?.abort();
    },
  };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return {
    count: sorted.length,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    maxMs: Math.round(sorted.at(-1) ?? 0),
  };
}
