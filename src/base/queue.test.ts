import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BoundedQueue } from './queue.ts';

it('gives items back in the order they came, also around the end of its ring', () => {
  const queue = new BoundedQueue<number>(1000);
  const out: number[] = [];
  let next = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 7; i++) queue.push(next++);
    for (let i = 0; i < 5; i++) out.push(queue.shift()!);
  }
  assert.equal(queue.size, 100);
  assert.equal(queue.peek(), 250);
  while (queue.size > 0) out.push(queue.shift()!);
  assert.deepEqual(
    out,
    Array.from({ length: 350 }, (_, i) => i),
  );
  assert.equal(queue.shift(), undefined);
});

it('refuses items above its capacity', () => {
  const queue = new BoundedQueue<string>(2);
  assert.deepEqual([queue.push('a'), queue.push('b'), queue.push('c')], [true, true, false]);
  queue.shift();
  assert.equal(queue.push('d'), true);
  queue.clear();
  assert.equal(queue.size, 0);
  assert.throws(() => new BoundedQueue(0), RangeError);
});
