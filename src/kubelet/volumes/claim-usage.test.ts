import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { testContainer, testPod } from '../fake-kubelet.ts';
import { createClaimUsageReader } from './claim-usage.ts';

const fs = { capacityBytes: 100, availableBytes: 40, inodes: 10, inodesFree: 5 };

test('file systems of claims are told; paths of the machine and devices are not', async () => {
  const pod = testPod('p', {
    containers: [testContainer('c', { volumeDevices: [{ name: 'raw', devicePath: '/dev/x' }] })],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'd' } },
      { name: 'own', ephemeral: {} },
      { name: 'raw', persistentVolumeClaim: { claimName: 'r' } },
      { name: 'local', persistentVolumeClaim: { claimName: 'l' } },
      { name: 'scratch', emptyDir: {} },
    ],
  });
  const paths = (pod.spec?.volumes ?? []).map(
    ({ name }) => [name, { hostPath: `/v/${name}`, isHostPath: name === 'local' }] as const,
  );
  const read = createClaimUsageReader({
    clock: new FakeClock(),
    mounted: () => new Map(paths),
    stat: async () => fs,
  });
  assert.deepEqual(await read(pod), [
    { volumeName: 'data', claim: { name: 'd', namespace: 'default' }, fs },
    { volumeName: 'own', claim: { name: 'p-own', namespace: 'default' }, fs },
  ]);
});

test('a volume whose server hangs is left out, and asked once', async () => {
  const clock = new FakeClock();
  let count = 0;
  const read = createClaimUsageReader({
    clock,
    mounted: () => new Map([['data', { hostPath: '/nfs' }]]),
    stat: () => {
      count += 1;
      return new Promise(() => undefined);
    },
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'd' } }];
  const answers = [read(testPod('p', { volumes })), read(testPod('p', { volumes }))];
  await clock.advance(2_000);
  assert.deepEqual(await Promise.all(answers), [[], []]);
  assert.equal(count, 1);
});
