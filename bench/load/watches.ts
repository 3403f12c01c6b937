import { systemClock } from '#base/clock.ts';
import { percentiles } from '../measurement.ts';
import { processUsage } from '../process-usage.ts';
import { Connection } from './connection.ts';
import type { Load } from './load.ts';
import { configMap } from './objects.ts';
import { configMaps } from './writes.ts';

const watcherCount = 100;
const eventCount = 200;

/** Counts the numbers of one watcher's events and notes when each came. */
class Watcher {
  readonly atMs: number[] = [];
  readonly problems: string[] = [];
  #rest = '';

  take(bytes: Buffer): void {
    const nowMs = systemClock.monotonicMs();
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const number = Number(/"seq":"(\d+)"/.exec(line)?.[1]);
      this.atMs.push(nowMs);
      if (number !== this.atMs.length) this.problems.push(`event ${number} out of order`);
    }
  }
}

/**
 * One writer, many watchers of the same object. A delivery's latency counts from the writer's
 * answer; one that came sooner counts as 0.
 */
export async function runWatches(load: Load): Promise<void> {
  const made = await load.must('POST', configMaps, configMap('watched', { seq: '0' }));
  const { metadata } = JSON.parse(String(made.body)) as { metadata: { resourceVersion: string } };
  const query = `?watch=1&resourceVersion=${metadata.resourceVersion}&fieldSelector=metadata.name%3Dwatched`;
  const watchers = Array.from({ length: watcherCount }, () => new Watcher());
  const connections = await Promise.all(watchers.map(() => Connection.open(load.target)));
  connections.forEach((connection, index) => {
    const watcher = watchers[index]!;
    void connection
      .request('GET', `${configMaps}${query}`, { onChunk: (bytes) => watcher.take(bytes) })
      .catch((error: unknown) => watcher.problems.push(String(error)));
  });
  await systemClock.sleep(300);
  const before = processUsage(load.serverPid);
  const startMs = systemClock.monotonicMs();
  const writer = await load.connection(0);
  const answeredMs: number[] = [];
  const problems: string[] = [];
  for (let seq = 1; seq <= eventCount; seq += 1) {
    const body = JSON.stringify({ data: { seq: String(seq) } });
    const contentType = 'application/merge-patch+json';
    const path = `${configMaps}/watched`;
    const answer = await writer.request('PATCH', path, { body, contentType });
    answeredMs.push(systemClock.monotonicMs());
    if (answer.status !== 200) problems.push(`status ${answer.status}`);
  }
  const untilMs = systemClock.monotonicMs() + 10_000;
  const isMissing = (): boolean => watchers.some(({ atMs }) => atMs.length < eventCount);
  while (isMissing() && systemClock.monotonicMs() < untilMs) await systemClock.sleep(5);
  const lastMs = Math.max(...watchers.map(({ atMs }) => atMs.at(-1) ?? 0));
  const latencies = watchers.flatMap(({ atMs }) =>
    atMs.map((ms, index) => Math.max(0, ms - answeredMs[index]!)),
  );
  for (const connection of connections) connection.close();
  const cpuMs = processUsage(load.serverPid).cpuMs - before.cpuMs;
  if (isMissing()) problems.push('events are missing');
  load.report({
    cell: `watch ${watcherCount} watchers`,
    values: {
      cpuMs: cpuMs / latencies.length,
      perSecond: (latencies.length / (lastMs - startMs)) * 1000,
      ...percentiles(latencies),
    },
    problems: [...problems, ...watchers.flatMap((watcher) => watcher.problems)].slice(0, 5),
  });
}
