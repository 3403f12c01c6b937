import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeMetricsText } from './probe-metrics.ts';
import type { ProbeResult } from './results.ts';

test('results of probes are counted by pod, container, kind and result', () => {
  const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' } };
  const results = new Map<ProbeResult, number>([
    ['Success', 3],
    ['Failure', 1],
  ]);
  const text = probeMetricsText([{ pod, container: 'c', kind: 'readiness', results }]);
  const labels = 'container="c",namespace="n",pod="p",pod_uid="u",probe_type="Readiness"';
  assert.deepEqual(text.split('\n').slice(1), [
    '# TYPE prober_probe_total counter',
    `prober_probe_total{${labels},result="successful"} 3`,
    `prober_probe_total{${labels},result="failed"} 1`,
    '',
  ]);
  assert.equal(probeMetricsText([]), '');
});
