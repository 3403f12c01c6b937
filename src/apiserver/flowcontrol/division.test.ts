import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';

import type { LevelDemand } from './concurrency-shares.ts';
import { divideSeats, nominalSeats } from './concurrency-shares.ts';
import { RetryAfter } from './retry-after.ts';
import { SeatDemand } from './seat-demand.ts';
import { dealHand, flowHash } from './shuffle-shard.ts';

const level = (nominal: number, extra: Partial<LevelDemand> = {}): LevelDemand => ({
  isExempt: false,
  nominalSeats: nominal,
  minSeats: nominal / 2,
  maxSeats: 600,
  highWatermark: 0,
  smoothDemand: 0,
  ...extra,
});

describe('the division of seats', () => {
  test('shares give the seats of the default levels of upstream, rounded up', () => {
    const shares = [5, 30, 40, 10, 40, 100, 20, 0];
    const seats = shares.map((share) => nominalSeats(600, share, 245));
    assert.deepEqual(seats, [13, 74, 98, 25, 98, 245, 49, 0]);
  });

  test('a busy level borrows what idle ones lend', () => {
    const busy = level(100, { highWatermark: 500, smoothDemand: 400 });
    const seats = divideSeats(600, [busy, level(250), level(250)]);
    assert.ok((seats[0] ?? 0) > 200, seats.join(', '));
    assert.ok((seats[1] ?? 0) >= 125 && (seats[2] ?? 0) >= 125, seats.join(', '));
  });

  test('no level loses what it may not lend, none gets more than it may borrow', () => {
    const arbitrary = fc.record({
      nominalSeats: fc.integer({ min: 2, max: 300 }),
      lendable: fc.double({ min: 0, max: 1, noNaN: true }),
      highWatermark: fc.integer({ min: 0, max: 900 }),
      smoothDemand: fc.double({ min: 0, max: 900, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 8 }), (levels) => {
        const total = levels.reduce((sum, one) => sum + one.nominalSeats, 0);
        const demands = levels.map((one) => ({
          ...one,
          isExempt: false,
          minSeats: Math.round(one.nominalSeats * (1 - one.lendable)),
          maxSeats: one.nominalSeats + total,
        }));
        const seats = divideSeats(total, demands);
        seats.forEach((count, i) => {
          assert.ok(count >= Math.max(1, demands[i]?.minSeats ?? 0) - 1, `${count} seats`);
          assert.ok(count <= (demands[i]?.maxSeats ?? 0), `${count} seats`);
        });
        const sum = seats.reduce((all, count) => all + count, 0);
        assert.ok(sum <= total + levels.length, `${sum} of ${total}`);
      }),
    );
  });

  test('demand is the mean and its spread, remembered for a while after it has gone', () => {
    const demand = new SeatDemand(0);
    demand.add(10, 0);
    assert.deepEqual(demand.take(1000), { highWatermark: 10, smoothDemand: 10 });
    demand.add(-10, 1000);
    const after = demand.take(2000);
    assert.ok(after.smoothDemand > 9 && after.smoothDemand < 10, `${after.smoothDemand}`);
    assert.equal(demand.take(3000).highWatermark, 0);
  });
});

describe('shuffle sharding', () => {
  test('a hand has different queues of the deck, the same ones each time', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (hash) => {
        const hand = dealHand(hash, 128, 6);
        assert.equal(new Set(hand).size, 6);
        assert.ok(hand.every((index) => index >= 0 && index < 128));
        assert.deepEqual(dealHand(hash, 128, 6), hand);
      }),
    );
  });

  test('small hashes deal the cards that the arithmetic says', () => {
    assert.deepEqual(dealHand(0n, 8, 3), [0, 1, 2]);
    assert.deepEqual(dealHand(1n, 8, 3), [1, 0, 2]);
    assert.deepEqual(dealHand(8n * 6n, 8, 3), [0, 7, 1]);
  });

  test('the hash is that of schema and distinguisher, set apart by a zero', () => {
    assert.notEqual(flowHash('a', 'bc'), flowHash('ab', 'c'));
    assert.equal(flowHash('service-accounts', 'u'), flowHash('service-accounts', 'u'));
  });
});

test('clients are told to wait longer while many are refused, up to 32 seconds', () => {
  const retry = new RetryAfter();
  let last = 0;
  for (let second = 1; second < 200; second++) {
    for (let i = 0; i < 10; i++) last = retry.refuse(second * 1000);
  }
  assert.equal(last, 32);
  assert.ok(retry.refuse(1_000_000) < 32);
});
