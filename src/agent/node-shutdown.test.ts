import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginsShutdown } from './node-shutdown.ts';

test('lines of the bus monitor tell when a shutdown begins or is called off', () => {
  const line = (value: boolean): string =>
    JSON.stringify({
      type: 'signal',
      member: 'PrepareForShutdown',
      payload: { type: 'b', data: [value] },
    });
  assert.equal(beginsShutdown(line(true)), true);
  assert.equal(beginsShutdown(line(false)), false);
  assert.equal(beginsShutdown('{"type":"signal","member":"Other"}'), undefined);
  assert.equal(beginsShutdown('Monitoring bus message stream.'), undefined);
});
