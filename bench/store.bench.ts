import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Backend, KeyValue } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

/**
 * Durable writes of 1 KB values by a number of clients that each wait for their answer; each
 * creates a key, updates it, and goes on to the next. One watch sees it all.
 * Run: node bench/store.bench.ts [seconds] [endpoint]
 */
const seconds = Number(process.argv[2] ?? 2);
const endpoint = process.argv[3] ?? '';

interface Result {
  clients: number;
  writes: number;
  perSecond: number;
  cpuUs: number;
  p50Ms: number;
  p99Ms: number;
}

const body = Buffer.alloc(1024, '{"kind":"ConfigMap"}');

async function client(backend: Backend, name: string, endMs: number, took: number[]) {
  let last: KeyValue | undefined;
  while (systemClock.monotonicMs() < endMs) {
    const key = last?.key ?? `/registry/configmaps/default/${name}-${took.length}`;
    const startMs = systemClock.monotonicMs();
    const written =
      last === undefined
        ? await backend.create(key, () => Buffer.from(body))
        : await backend.update(key, last.modRevision, () => Buffer.from(body));
    took.push(systemClock.monotonicMs() - startMs);
    last = last === undefined ? written : undefined;
  }
}

async function measure(clients: number): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'k3ts-store-bench-'));
  const backend = await openBackend({ endpoint, dataDir, clock: systemClock, log: silentLogger });
  const watch = backend.watch('/registry/', backend.currentRevision, {
    onEvents: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const startMs = systemClock.monotonicMs();
  const endMs = startMs + seconds * 1000;
  await Promise.all(
    Array.from({ length: clients }, (_, i) => client(backend, `c${clients}-${i}`, endMs, took)),
  );
  const elapsedMs = systemClock.monotonicMs() - startMs;
  const used = process.cpuUsage(cpu);
  watch.close();
  await backend.close();
  rmSync(dataDir, { recursive: true });
  took.sort((a, b) => a - b);
  return {
    clients,
    writes: took.length,
    perSecond: Math.round((took.length / elapsedMs) * 1000),
    cpuUs: Math.round((used.user + used.system) / took.length),
    p50Ms: Number(took[took.length >> 1]!.toFixed(3)),
    p99Ms: Number(took[Math.floor(took.length * 0.99)]!.toFixed(3)),
  };
}

const results: Result[] = [];
for (const clients of [1, 16, 64]) results.push(await measure(clients));
const columns = ['clients', 'writes', 'perSecond', 'cpuUs', 'p50Ms', 'p99Ms'] as const;
const row = (cells: readonly unknown[]): string =>
  `${cells.map((cell) => String(cell).padStart(10)).join('')}\n`;
process.stdout.write(row(columns));
for (const result of results) process.stdout.write(row(columns.map((name) => result[name])));
process.stdout.write(`${JSON.stringify({ bench: 'store', endpoint, seconds, results })}\n`);
