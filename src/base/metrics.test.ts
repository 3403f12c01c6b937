import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MetricRegistry } from './metrics.ts';

test('metrics are shown in the text form, sorted by name, without those that have no value', async () => {
  const registry = new MetricRegistry();
  const total = registry.counter({
    name: 'b_total',
    help: 'Bees.',
    stability: 'STABLE',
    labels: ['kind', 'place'],
  });
  registry.gauge({ name: 'unused', help: 'None.', stability: 'ALPHA' });
  total.with('a"b\\c\n', 'x').value += 2;
  total.with('a"b\\c\n', 'x').value++;
  const gauge = registry.gauge({ name: 'a_now', help: 'A.', stability: 'BETA' });
  registry.onCollect(() => {
    gauge.with().value = 1e-7;
  });
  assert.equal(
    await registry.render(),
    [
      '# HELP a_now [BETA] A.',
      '# TYPE a_now gauge',
      'a_now 1e-07',
      '# HELP b_total [STABLE] Bees.',
      '# TYPE b_total counter',
      'b_total{kind="a\\"b\\\\c\\n",place="x"} 3',
      '',
    ].join('\n'),
  );
  assert.equal(await registry.render(new Set(['a_now', 'b_total'])), '');
});

test('a histogram counts each value in all buckets that hold it', async () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram({
    name: 'seconds',
    help: 'S.',
    stability: 'ALPHA',
    labels: ['verb'],
    buckets: [0.1, 1],
  });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.with('GET').observe(value);
  assert.deepEqual((await registry.render()).trim().split('\n').slice(2), [
    'seconds_bucket{verb="GET",le="0.1"} 2',
    'seconds_bucket{verb="GET",le="1"} 3',
    'seconds_bucket{verb="GET",le="+Inf"} 4',
    'seconds_sum{verb="GET"} 7.65',
    'seconds_count{verb="GET"} 4',
  ]);
});

test('the same name gives the same metric', () => {
  const registry = new MetricRegistry();
  const options = { name: 'x', help: 'X.', stability: 'STABLE' } as const;
  registry.counter(options).with().value = 4;
  assert.equal(registry.counter(options).with().value, 4);
  assert.deepEqual([...registry.countByStability()], [['STABLE', 1]]);
});
