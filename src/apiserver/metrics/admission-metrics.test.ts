import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { createAdmissionMeter } from './admission-metrics.ts';

test('each plugin, step, operation and outcome of admission has numbers of its own', async () => {
  const registry = new MetricRegistry();
  const clock = new FakeClock();
  const meter = createAdmissionMeter(registry, clock);
  const startMs = meter.nowMs();
  await clock.advance(50);
  const seen = { plugin: 'A', type: 'admit', operation: 'CREATE', isRejected: false } as const;
  const endMs = meter.observe({ ...seen, startMs });
  assert.equal(endMs - startMs, 50);
  meter.observe({ ...seen, startMs: endMs });
  meter.observe({ ...seen, startMs, type: 'validate' });
  meter.observe({ ...seen, startMs, isRejected: true });
  meter.observe({ ...seen, startMs, operation: 'UPDATE' });
  meter.observe({ ...seen, startMs, plugin: 'B' });
  meter.observe({ ...seen, startMs, plugin: undefined });
  const text = await registry.render();
  const counts = text.split('\n').filter((line) => /_(count|sum)\{/.test(line));
  const plugins = 'apiserver_admission_controller_admission_duration_seconds';
  const steps = 'apiserver_admission_step_admission_duration_seconds';
  const of = (name: string, operation: string, rejected: boolean, type: string): string =>
    `{name="${name}",operation="${operation}",rejected="${rejected}",type="${type}"}`;
  assert.deepEqual(counts.toSorted(), [
    `${plugins}_count${of('A', 'CREATE', false, 'admit')} 2`,
    `${plugins}_count${of('A', 'CREATE', false, 'validate')} 1`,
    `${plugins}_count${of('A', 'CREATE', true, 'admit')} 1`,
    `${plugins}_count${of('A', 'UPDATE', false, 'admit')} 1`,
    `${plugins}_count${of('B', 'CREATE', false, 'admit')} 1`,
    `${plugins}_sum${of('A', 'CREATE', false, 'admit')} 0.05`,
    `${plugins}_sum${of('A', 'CREATE', false, 'validate')} 0.05`,
    `${plugins}_sum${of('A', 'CREATE', true, 'admit')} 0.05`,
    `${plugins}_sum${of('A', 'UPDATE', false, 'admit')} 0.05`,
    `${plugins}_sum${of('B', 'CREATE', false, 'admit')} 0.05`,
    `${steps}_count{operation="CREATE",rejected="false",type="admit"} 1`,
    `${steps}_sum{operation="CREATE",rejected="false",type="admit"} 0.05`,
  ]);
});
