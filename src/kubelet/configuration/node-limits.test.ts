import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '#base/errors.ts';
import { parseCpuSet } from '../cpus/mod.ts';
import { kubeletSettings, readKubeletConfiguration } from './mod.ts';

const read = (args: readonly string[]) =>
  readKubeletConfiguration({ args, dropInDirectory: '/nonexistent' });

test('processors kept for the system by number replace amounts of CPU', async () => {
  const configuration = await read([
    'kube-reserved=cpu=1,memory=1Gi',
    'system-reserved=cpu=2,memory=2Gi',
    'reserved-cpus=0-2,7',
  ]);
  assert.deepEqual(kubeletSettings(configuration), {
    kubeReserved: { memory: '1Gi' },
    systemReserved: { cpu: '4', memory: '2Gi' },
    reservedCpus: '0-2,7',
  });
  assert.deepEqual([...parseCpuSet('3,1-2')], [3, 1, 2]);
});

test('soft thresholds, reclaim, pulls and ages reach the kubelet', async () => {
  const configuration = await read([
    'eviction-soft=memory.available<500Mi',
    'eviction-soft-grace-period=memory.available=1m30s',
    'eviction-minimum-reclaim=nodefs.available=1Gi',
    'eviction-max-pod-grace-period=20',
    'serialize-image-pulls=true',
    'maximum-image-ttl-duration=24h',
  ]);
  assert.deepEqual(kubeletSettings(configuration), {
    evictionSoft: { 'memory.available': '500Mi' },
    evictionSoftGraceMs: { 'memory.available': 90_000 },
    evictionMinimumReclaim: { 'nodefs.available': '1Gi' },
    evictionMaxPodGraceSeconds: 20,
    maxParallelImagePulls: 1,
    imageMaximumGcAgeMs: 86_400_000,
  });
});

for (const [arg, message] of [
  ['eviction-soft=memory.available<1Gi', /grace period must be specified for the soft eviction/],
  ['reserved-cpus=4-2', /unable to parse "4-2" as a cpuset/],
] as const) {
  test(`${arg} is refused`, async () => {
    await assert.rejects(read([arg]), (error) => message.test(messageOf(error)));
  });
}
