import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import type { Node } from '#schema/types.ts';
import type { EvictionRules } from '../context.ts';
import { createZoneMetrics } from './zone-metrics.ts';
import { createEvictionPace } from './zone-pace.ts';

function nodes(zone: string, ready: number, silent: number): Node[] {
  return Array.from({ length: ready + silent }, (_, index) => ({
    metadata: { name: `${zone}-${index}`, labels: { 'topology.kubernetes.io/zone': zone } },
    status: { conditions: [{ type: 'Ready', status: index < ready ? 'True' : 'Unknown' }] },
  }));
}

/** How many nodes may be emptied in this many seconds. */
async function evictions(
  all: readonly Node[],
  seconds: number,
  rules?: Partial<EvictionRules>,
): Promise<number> {
  const clock = new FakeClock();
  const pace = createEvictionPace(clock, createZoneMetrics(new MetricRegistry()), rules);
  const silent = all.at(-1)!;
  let count = 0;
  for (let second = 0; second < seconds; second++) {
    pace.update(all);
    if (pace.mayEvict(silent)) count += 1;
    await clock.advance(1000);
  }
  return count;
}

test('one node each ten seconds while most of a zone is well', async () => {
  assert.equal(await evictions(nodes('a', 5, 1), 100), 10);
});

test('a small zone that is mostly silent is left alone, a large one goes slowly', async () => {
  assert.equal(await evictions(nodes('a', 2, 4), 300), 0);
  assert.equal(await evictions(nodes('a', 20, 40), 300), 3);
});

test('rates, and what is a large and a mostly silent zone, can be set', async () => {
  assert.equal(await evictions(nodes('a', 5, 1), 100, { perSecond: 0.5 }), 50);
  assert.equal(await evictions(nodes('a', 5, 1), 100, { perSecond: 0 }), 0);
  const slow = { largeZoneNodes: 5, slowPerSecond: 0.05 };
  assert.equal(await evictions(nodes('a', 2, 4), 300, slow), 15);
  assert.equal(await evictions(nodes('a', 2, 4), 100, { unhealthyShare: 0.7 }), 10);
});

test('all zones silent is told apart from one silent zone', () => {
  const pace = createEvictionPace(new FakeClock(), createZoneMetrics(new MetricRegistry()));
  assert.equal(pace.update([...nodes('a', 0, 2), ...nodes('b', 1, 0)]), false);
  assert.equal(pace.update([...nodes('a', 0, 2), ...nodes('b', 0, 1)]), true);
  assert.equal(pace.update([]), false);
});
