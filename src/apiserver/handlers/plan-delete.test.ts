import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UnknownObject } from '#schema/mod.ts';
import { podHooks } from '../kinds/pod.ts';
import type { DeleteOptions } from './delete-options.ts';
import { planDelete } from './plan-delete.ts';

const nowMs = Date.UTC(2026, 0, 1);
const plain: DeleteOptions = {
  gracePeriodSeconds: undefined,
  propagationPolicy: undefined,
  orphanDependents: undefined,
  preconditions: {},
  dryRun: false,
};

function plan(object: object, options: Partial<DeleteOptions> = {}): ReturnType<typeof planDelete> {
  return planDelete({
    object: object as UnknownObject,
    options: { ...plain, ...options },
    hooks: podHooks,
    defaultPropagation: 'Background',
    nowMs,
  });
}

const running = { metadata: { name: 'p' }, spec: { nodeName: 'n' }, status: { phase: 'Running' } };

describe('planDelete of a pod', () => {
  test('sets the deletion time one grace period ahead', () => {
    const { changed, isRemoved } = plan(running);
    assert.equal(isRemoved, false);
    assert.equal(changed?.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
    assert.equal(changed?.metadata.deletionGracePeriodSeconds, 30);
  });

  test('removes at once what no kubelet runs, what has finished, and on grace period 0', () => {
    assert.equal(plan({ ...running, spec: {} }).isRemoved, true);
    assert.equal(plan({ ...running, status: { phase: 'Failed' } }).isRemoved, true);
    assert.equal(plan(running, { gracePeriodSeconds: 0 }).isRemoved, true);
  });

  test('a running deletion can be shortened, not stretched', () => {
    const going = plan(running).changed as UnknownObject;
    const shorter = plan(going, { gracePeriodSeconds: 10 });
    assert.equal(shorter.changed?.metadata.deletionTimestamp, '2026-01-01T00:00:10Z');
    assert.deepEqual(plan(going, { gracePeriodSeconds: 60 }), {
      changed: undefined,
      isRemoved: false,
    });
  });

  test('finalizers keep it although the grace period is 0', () => {
    const held = { ...running, metadata: { name: 'p', finalizers: ['a/b'] } };
    const { changed, isRemoved } = plan(held, { gracePeriodSeconds: 0 });
    assert.equal(isRemoved, false);
    assert.equal(changed?.metadata.deletionGracePeriodSeconds, 0);
  });

  test('the stored object is left as it was', () => {
    const stored = structuredClone(running);
    plan(stored, { propagationPolicy: 'Foreground' });
    assert.deepEqual(stored, running);
  });
});

describe('planDelete and dependents', () => {
  const cases: readonly [string, Partial<DeleteOptions>, string[], string[]][] = [
    [
      'Foreground adds its finalizer',
      { propagationPolicy: 'Foreground' },
      [],
      ['foregroundDeletion'],
    ],
    ['Orphan adds its finalizer', { propagationPolicy: 'Orphan' }, [], ['orphan']],
    ['orphanDependents is the older Orphan', { orphanDependents: true }, [], ['orphan']],
    ['Background takes a waiting Orphan back', { propagationPolicy: 'Background' }, ['orphan'], []],
    ['without a policy what waits stays', {}, ['foregroundDeletion'], ['foregroundDeletion']],
  ];
  for (const [name, options, before, after] of cases) {
    test(name, () => {
      const finalizers = before.length === 0 ? undefined : before;
      const { changed } = plan({ ...running, metadata: { name: 'p', finalizers } }, options);
      assert.deepEqual(changed?.metadata.finalizers ?? [], after);
    });
  }
});
