import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unavailable, wasNotSent } from './etcd-errors.ts';

test('what gRPC says around the reason of a failed connection is left out', () => {
  const error = Object.assign(
    new Error(
      '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED ' +
        '127.0.0.1:2379. Resolution note: ',
    ),
    { code: 14 },
  );
  assert.equal(unavailable(error).message, 'etcd: connect ECONNREFUSED 127.0.0.1:2379');
  assert.equal(wasNotSent(error), true);
  const other = new Error('3 INVALID_ARGUMENT: etcdserver: key is not provided');
  assert.equal(unavailable(other).message, 'etcd: etcdserver: key is not provided');
  assert.equal(unavailable(unavailable(other)).message, 'etcd: etcdserver: key is not provided');
});
