import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VolumeMount } from '#schema/types.ts';
import type { Mount } from '../cri/mod.ts';
import { containerMounts } from './mounts.ts';

async function mountOf(mount: Partial<VolumeMount>, canRecursiveReadOnly: boolean): Promise<Mount> {
  const [first] = await containerMounts({
    podUid: 'u',
    container: { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/a', ...mount }] },
    mounted: new Map([['v', { hostPath: '/v' }]]),
    volumes: { prepareSubPath: () => Promise.resolve('/v/x') },
    environment: new Map(),
    hostsPath: undefined,
    terminationLogPath: undefined,
    canRecursiveReadOnly,
  });
  assert.ok(first !== undefined);
  return first;
}

test('mounts are recursively read-only where that is asked for and possible', async () => {
  const cases: [VolumeMount['recursiveReadOnly'], boolean, boolean][] = [
    [undefined, true, false],
    ['Disabled', true, false],
    ['IfPossible', true, true],
    ['IfPossible', false, false],
    ['Enabled', true, true],
  ];
  for (const [recursiveReadOnly, isPossible, expected] of cases) {
    const mount = await mountOf({ readOnly: true, recursiveReadOnly }, isPossible);
    assert.equal(mount.recursiveReadOnly, expected, `${recursiveReadOnly} ${isPossible}`);
    assert.equal(mount.readonly, true);
  }
});

test('a mount that insists on what cannot be is refused in the words of upstream', async () => {
  const head =
    'failed to resolve recursive read-only mode: ' +
    'volume "v" requested recursive read-only mode, but it is not ';
  const recursiveReadOnly = 'Enabled';
  await assert.rejects(mountOf({ readOnly: true, recursiveReadOnly }, false), {
    message: `${head}supported by the runtime`,
  });
  await assert.rejects(mountOf({ recursiveReadOnly }, true), { message: `${head}read-only` });
  const mountPropagation = 'HostToContainer';
  await assert.rejects(mountOf({ readOnly: true, recursiveReadOnly, mountPropagation }, true), {
    message: `${head}compatible with propagation "HostToContainer"`,
  });
});

test('propagation goes to the runtime', async () => {
  const cases: [VolumeMount['mountPropagation'], string][] = [
    [undefined, 'PROPAGATION_PRIVATE'],
    ['None', 'PROPAGATION_PRIVATE'],
    ['HostToContainer', 'PROPAGATION_HOST_TO_CONTAINER'],
    ['Bidirectional', 'PROPAGATION_BIDIRECTIONAL'],
  ];
  for (const [mountPropagation, expected] of cases) {
    assert.equal((await mountOf({ mountPropagation }, false)).propagation, expected);
  }
});
