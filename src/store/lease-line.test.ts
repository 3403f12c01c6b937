import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeaseLine } from './lease-line.ts';

describe('leases of one length', () => {
  it('end in the order in which they were given', () => {
    const line = new LeaseLine(() => true);
    assert.equal(line.dueMs, Infinity);
    assert.equal(line.take(), undefined);
    for (let i = 1; i <= 5; i++) line.add(`/k/${i}`, i, 1000 + i);
    const seen: string[] = [];
    for (let i = 1; i <= 3; i++) seen.push(`${line.dueMs} ${line.take()?.key ?? ''}`);
    line.add('/k/6', 6, 1006);
    assert.deepEqual(seen, ['1001 /k/1', '1002 /k/2', '1003 /k/3']);
    assert.equal(line.length, 3);
    assert.deepEqual(
      [line.take(), line.take(), line.take(), line.take()].map((lease) => lease?.modRevision),
      [4, 5, 6, undefined],
    );
  });

  it('does not keep those of a key that is written over and over', () => {
    const newest = new Map<string, number>();
    const line = new LeaseLine((key, modRevision) => newest.get(key) === modRevision);
    let longest = 0;
    for (let revision = 1; revision <= 50_000; revision++) {
      const key = `/k/${revision % 10}`;
      newest.set(key, revision);
      line.add(key, revision, revision);
      longest = Math.max(longest, line.length);
    }
    assert.ok(longest <= 4096, String(longest));
    const left: number[] = [];
    for (let lease = line.take(); lease !== undefined; lease = line.take()) {
      if (newest.get(lease.key) === lease.modRevision) left.push(lease.modRevision);
    }
    assert.deepEqual(
      left,
      Array.from({ length: 10 }, (_, i) => 49_991 + i),
    );
  });
});
