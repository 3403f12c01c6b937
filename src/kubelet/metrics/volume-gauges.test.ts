import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '#base/metrics.ts';
import { testPod } from '../fake-kubelet.ts';
import { addVolumeGauges } from './volume-gauges.ts';

test('volumes of claims are shown while a pod uses them', async () => {
  const registry = new MetricRegistry();
  let pods = [testPod('p')];
  addVolumeGauges(registry, {
    pods: () => pods,
    usageOf: async () => [
      {
        volumeName: 'data',
        claim: { name: 'd', namespace: 'default' },
        fs: { capacityBytes: 100, availableBytes: 40, inodes: 10, inodesFree: 4 },
      },
    ],
  });
  const text = await registry.render();
  const labels = '{namespace="default",persistentvolumeclaim="d"}';
  for (const [name, value] of [
    ['available_bytes', 40],
    ['capacity_bytes', 100],
    ['used_bytes', 60],
    ['inodes_used', 6],
  ]) {
    assert.ok(text.includes(`kubelet_volume_stats_${name}${labels} ${value}\n`), text);
  }
  pods = [];
  assert.equal(await registry.render(), '');
});
