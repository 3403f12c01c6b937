import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HeadIndex } from './head-index.ts';

it('knows deletes until compaction has passed them, however they were loaded', () => {
  const heads = new HeadIndex({
    keys: ['/a', '/b', '/c'],
    modRevisions: Float64Array.of(9, 4, 6),
    createRevisions: Float64Array.of(2, 3, 5),
    leases: Float64Array.of(0, 0, 0),
    deleted: Uint8Array.of(1, 0, 1),
  });
  assert.equal(heads.count('/'), 1);
  assert.deepEqual([heads.tombstone('/a'), heads.tombstone('/c')], [9, 6]);
  heads.dropTombstones(8);
  assert.deepEqual([heads.tombstone('/a'), heads.tombstone('/c')], [9, 0]);
  const row = { revision: 10, key: '/a', isCreate: true, isDelete: false, createRevision: 10 };
  heads.apply({ ...row, prevRevision: 9, lease: 7, value: Buffer.alloc(0) });
  assert.equal(heads.tombstone('/a'), 0);
  assert.deepEqual(
    [...heads.leased()].map(([key]) => key),
    ['/a'],
  );
});
