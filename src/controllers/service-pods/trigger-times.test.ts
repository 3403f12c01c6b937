import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, Service } from '#schema/types.ts';
import { createTriggerTimes } from './trigger-times.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
};

function pod(name: string, readySince: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] },
  };
}

test('the first time is that of the service, then the earliest of what changed', () => {
  const times = createTriggerTimes();
  const first = [pod('a', '2026-01-01T00:00:05Z')];
  assert.equal(times.next('k', service, first), '2026-01-01T00:00:00Z');
  assert.equal(times.next('k', service, first), undefined);
  const second = [pod('a', '2026-01-01T00:00:09Z'), pod('b', '2026-01-01T00:00:08Z')];
  assert.equal(times.next('k', service, second), '2026-01-01T00:00:08Z');
  const remade = {
    ...service,
    metadata: { ...service.metadata, creationTimestamp: '2026-01-02T00:00:00Z' },
  };
  assert.equal(times.next('k', remade, second), '2026-01-02T00:00:00Z');
  times.forget('k');
  assert.equal(times.next('k', service, []), '2026-01-01T00:00:00Z');
});
