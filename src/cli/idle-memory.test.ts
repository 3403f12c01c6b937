import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { keepMemorySmall } from './idle-memory.ts';

const mib = 2 ** 20;

interface States {
  heapMb: (atS: number) => number;
  residentMb?: (atS: number) => number;
  busyMsPerS: number;
  untilS?: number;
}

/** A process whose heap and CPU time the test sets, a minute in steps of a second. */
async function collections(states: States): Promise<number[]> {
  return (await watch(states)).collectedAtS;
}

async function watch(states: States): Promise<{ collectedAtS: number[]; trimmedAtS: number[] }> {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const atS = (): number => (clock.monotonicMs() - startMs) / 1000;
  const collectedAtS: number[] = [];
  const trimmedAtS: number[] = [];
  const { heapMb, residentMb = () => 100 } = states;
  const control = new AbortController();
  keepMemorySmall({
    clock,
    log: silentLogger,
    signal: control.signal,
    source: {
      memoryUsage: () => ({ heapTotal: heapMb(atS()) * mib, rss: residentMb(atS()) * mib }),
      cpuUsage: () => ({ user: atS() * states.busyMsPerS * 1000, system: 0 }),
      collect: () => void collectedAtS.push(Math.round(atS())),
      trim: () => void trimmedAtS.push(Math.round(atS())),
    },
  });
  const { untilS = 60 } = states;
  for (let second = 0; second < untilS; second += 1) await clock.advance(1000);
  control.abort();
  return { collectedAtS, trimmedAtS };
}

test('an idle process collects the garbage of its start once', async () => {
  assert.deepEqual(await collections({ heapMb: () => 30, busyMsPerS: 10 }), [8]);
});

test('an idle process collects again when its heap has grown', async () => {
  const heapMb = (atS: number): number => (atS < 30 ? 30 : 60);
  assert.deepEqual(await collections({ heapMb, busyMsPerS: 10 }), [8, 39]);
});

test('once more when what caches kept of it has aged, then no more', async () => {
  const heapMb = (atS: number): number => (atS < 30 ? 30 : 60);
  const collected = await collections({ heapMb, busyMsPerS: 10, untilS: 600 });
  assert.deepEqual(collected, [8, 39, 160]);
});

test('a busy process and one with a large heap collect nothing', async () => {
  assert.deepEqual(await collections({ heapMb: () => 30, busyMsPerS: 100 }), []);
  assert.deepEqual(await collections({ heapMb: () => 400, busyMsPerS: 10 }), []);
});

test('free pages outside the heap go back a second after the collection', async () => {
  const residentMb = (atS: number): number => (atS < 30 ? 100 : 140);
  assert.deepEqual(await watch({ heapMb: () => 30, residentMb, busyMsPerS: 10 }), {
    collectedAtS: [8, 39],
    trimmedAtS: [9, 40],
  });
});
