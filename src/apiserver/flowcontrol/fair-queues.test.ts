import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';

import type { FairRequest } from './fair-queues.ts';
import { FairQueues } from './fair-queues.ts';

interface Work {
  flow: number;
  seats: number;
  serviceMs: number;
  arriveMs: number;
}

interface Served extends Work {
  startMs: number;
}

const request = (seats = 1, extra: Partial<FairRequest> = {}): FairRequest => ({
  initialSeats: seats,
  finalSeats: 0,
  extraMs: 0,
  queue: undefined,
  arrival: 0,
  startMs: 0,
  isWaiting: false,
  onDispatch: () => undefined,
  ...extra,
});

/** Plays arrivals against the queues; every flow has a queue of its own. */
function simulate(work: readonly Work[], seats: number, endMs = Infinity): Served[] {
  const flows = Math.max(...work.map(({ flow }) => flow)) + 1;
  const queues = new FairQueues({ queues: flows, handSize: 1, queueLengthLimit: 10_000 }, seats, 0);
  const served: Served[] = [];
  const ends: { atMs: number; request: FairRequest }[] = [];
  const arrivals = [...work].sort((a, b) => a.arriveMs - b.arriveMs);
  let nowMs = 0;
  const begin = (one: Work, of: FairRequest): void => {
    served.push({ ...one, startMs: nowMs });
    ends.push({ atMs: nowMs + one.serviceMs, request: of });
    ends.sort((a, b) => a.atMs - b.atMs);
  };
  while ((arrivals.length > 0 || ends.length > 0) && nowMs <= endMs) {
    const [arrival] = arrivals;
    const [end] = ends;
    if (end !== undefined && end.atMs <= (arrival?.arriveMs ?? Infinity)) {
      ends.shift();
      nowMs = end.atMs;
      queues.finish(end.request, nowMs);
      continue;
    }
    const one = arrivals.shift() as Work;
    nowMs = one.arriveMs;
    const made: FairRequest = request(one.seats);
    made.onDispatch = () => begin(one, made);
    assert.equal(queues.enter(made, [one.flow], nowMs), true);
  }
  if (endMs === Infinity) assert.equal(queues.waiting + queues.executing + queues.seatsInUse, 0);
  return served;
}

const steady = (flow: number, everyMs: number, count: number, seats = 1): Work[] =>
  Array.from({ length: count }, (_, i) => ({
    flow,
    seats,
    serviceMs: 10,
    arriveMs: i * everyMs,
  }));

describe('fair queues', () => {
  test('a flow that floods the level does not slow down one that asks little', () => {
    const served = simulate([...steady(0, 0, 1000), ...steady(1, 50, 20)], 4);
    const waits = served.filter(({ flow }) => flow === 1).map((one) => one.startMs - one.arriveMs);
    assert.equal(waits.length, 20);
    assert.ok(Math.max(...waits) <= 20, `longest wait ${Math.max(...waits)} ms`);
  });

  test('two flows that both want everything get half of it each', () => {
    const served = simulate([...steady(0, 0, 500), ...steady(1, 0, 500)], 4, 1000);
    const counts = [0, 1].map((flow) => served.filter((one) => one.flow === flow).length);
    assert.ok(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0)) <= 4, `served ${counts.join(' and ')}`);
  });

  test('seats count, not requests: wide requests get fewer turns', () => {
    const served = simulate([...steady(0, 0, 500, 4), ...steady(1, 0, 500, 1)], 8, 500);
    const seats = [0, 1].map((flow) =>
      served.filter((one) => one.flow === flow).reduce((sum, one) => sum + one.seats, 0),
    );
    const ratio = (seats[0] ?? 0) / (seats[1] ?? 1);
    assert.ok(ratio > 0.6 && ratio < 1.7, `seats ${seats.join(' and ')}`);
  });

  test('no request starves, and never are more seats in use than there are', () => {
    const arrival = fc.record({
      flow: fc.integer({ min: 0, max: 5 }),
      seats: fc.integer({ min: 1, max: 6 }),
      serviceMs: fc.integer({ min: 0, max: 50 }),
      arriveMs: fc.integer({ min: 0, max: 300 }),
    });
    fc.assert(
      fc.property(
        fc.array(arrival, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 5 }),
        (work, seats) => {
          const served = simulate(work, seats);
          assert.equal(served.length, work.length);
          for (const at of served.map(({ startMs }) => startMs)) {
            const running = served.filter((o) => o.startMs <= at && at < o.startMs + o.serviceMs);
            const inUse = running.reduce((sum, one) => sum + one.seats, 0);
            assert.ok(inUse <= seats || running.length === 1, `${inUse} of ${seats} seats`);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('requests of one queue start in the order of their coming', () => {
    const served = simulate(steady(0, 1, 100), 2);
    const arrivals = served.map(({ arriveMs }) => arriveMs);
    assert.deepEqual(
      arrivals,
      [...arrivals].sort((a, b) => a - b),
    );
  });

  test('a full queue takes nothing more while all seats are taken', () => {
    const queues = new FairQueues({ queues: 1, handSize: 1, queueLengthLimit: 2 }, 1, 0);
    const made = Array.from({ length: 4 }, () => request());
    assert.deepEqual(
      made.map((one) => queues.enter(one, [0], 0)),
      [true, true, true, false],
    );
    queues.finish(made[0] as FairRequest, 5);
    assert.equal(made[1]?.isWaiting, false);
    assert.equal(queues.waiting, 1);
  });

  test('a request that gives up leaves its place to the next', () => {
    const queues = new FairQueues({ queues: 2, handSize: 2, queueLengthLimit: 9 }, 2, 0);
    const wide = request(2);
    const narrow = request(1);
    const first = request(1);
    queues.enter(first, [0, 1], 0);
    queues.enter(wide, [0, 1], 0);
    queues.enter(narrow, [0, 1], 0);
    assert.deepEqual([wide.isWaiting, narrow.isWaiting], [true, true]);
    queues.leave(wide, 1);
    assert.equal(narrow.isWaiting, false);
    assert.equal(queues.seatsInUse, 2);
  });

  test('a level without queues refuses what finds no seat', () => {
    const queues = new FairQueues({ queues: 0, handSize: 0, queueLengthLimit: 0 }, 2, 0);
    const [a, b, c] = [request(), request(), request()] as [FairRequest, FairRequest, FairRequest];
    assert.deepEqual(
      [queues.enterUnqueued(a, 0), queues.enterUnqueued(b, 0), queues.enterUnqueued(c, 0)],
      [true, true, false],
    );
    queues.finish(a, 1);
    assert.equal(queues.enterUnqueued(c, 1), true);
  });

  test('final seats stay taken after the answer until they are given back', () => {
    const queues = new FairQueues({ queues: 1, handSize: 1, queueLengthLimit: 9 }, 3, 0);
    const write = request(1, { finalSeats: 3, extraMs: 50 });
    const read = request(1);
    queues.enter(write, [0], 0);
    queues.enter(read, [0], 0);
    assert.equal(queues.seatsInUse, 3);
    assert.equal(queues.finish(write, 10), true);
    assert.equal(read.isWaiting, true);
    queues.releaseFinal(write, 60);
    assert.equal(read.isWaiting, false);
    queues.finish(read, 61);
    assert.deepEqual([queues.seatsInUse, queues.activeQueues], [0, 0]);
  });

  test('queues that are taken away serve what waits in them', () => {
    const queues = new FairQueues({ queues: 4, handSize: 1, queueLengthLimit: 9 }, 1, 0);
    const [a, b] = [request(), request()] as [FairRequest, FairRequest];
    queues.enter(a, [3], 0);
    queues.enter(b, [3], 0);
    queues.configure({ queues: 1, handSize: 1, queueLengthLimit: 9 }, 1, 1);
    assert.equal(queues.queues.length, 4);
    queues.finish(a, 2);
    assert.equal(b.isWaiting, false);
    queues.finish(b, 3);
    assert.equal(queues.queues.length, 1);
  });
});
