import assert from 'node:assert/strict';
import { test } from 'node:test';

import { asksCluster } from './kubectl.ts';

test('only what asks a cluster is told that there is none', () => {
  for (const line of ['get pods', '-n x get pods', 'exec a -- ls --help', 'version']) {
    assert.equal(asksCluster(line.split(' ')), true, line);
  }
  for (const line of ['--help', 'get --help', 'help', 'version --client', 'config view']) {
    assert.equal(asksCluster(line.split(' ')), false, line);
  }
  assert.equal(asksCluster([]), false);
});
