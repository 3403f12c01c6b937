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

test('what etcd refuses is told in its own words', () => {
  const failed = (code: number, text: string): { code: string; message: string } => {
    const { code: kind, message } = unavailable(Object.assign(new Error(text), { code }));
    return { code: kind, message };
  };
  assert.deepEqual(failed(3, '3 INVALID_ARGUMENT: etcdserver: request is too large'), {
    code: 'Refused',
    message: 'etcdserver: request is too large',
  });
  assert.deepEqual(failed(8, '8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded'), {
    code: 'Refused',
    message: 'etcdserver: mvcc: database space exceeded',
  });
  assert.deepEqual(failed(8, '8 RESOURCE_EXHAUSTED: received message larger than max (3 vs. 2)'), {
    code: 'Refused',
    message:
      'rpc error: code = ResourceExhausted desc = received message larger than max (3 vs. 2)',
  });
  assert.equal(failed(14, '14 UNAVAILABLE: etcdserver: request timed out').code, 'Unavailable');
  assert.equal(failed(4, '4 DEADLINE_EXCEEDED: Deadline exceeded').code, 'Unavailable');
});
