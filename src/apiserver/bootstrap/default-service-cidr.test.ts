import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { EventRecorder } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { ServiceCIDR } from '#schema/types.ts';
import { keepDefaultServiceCidr, reconcileServiceCidr } from './default-service-cidr.ts';

const range = (cidrs: string[], status?: ServiceCIDR['status']): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs },
  ...(status && { status }),
});

function setUp(serviceCidrs: string[], ...objects: ServiceCIDR[]) {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, objects });
  const stop = new AbortController();
  const reasons: string[] = [];
  const recorder: EventRecorder = {
    event: (_about, _type, reason, message) => reasons.push(`${reason}: ${message}`),
    flush: () => Promise.resolve(),
  };
  const { signal } = stop;
  const done = keepDefaultServiceCidr({
    client,
    serviceCidrs,
    clock,
    log: silentLogger,
    recorder,
    signal,
  });
  return {
    clock,
    client,
    reasons,
    stored: () => client.stored<ServiceCIDR>(resources.serviceCidrs, 'kubernetes'),
    async stop() {
      stop.abort();
      await done;
    },
  };
}

test('the default range comes back, and is ready where nobody says otherwise', async () => {
  const { clock, client, stored, stop } = setUp(['10.43.0.0/16']);
  await clock.advance(1);
  assert.deepEqual(stored()?.spec?.cidrs, ['10.43.0.0/16']);
  const [condition] = stored()?.status?.conditions ?? [];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.message],
    ['Ready', 'True', 'Kubernetes default Service CIDR is ready'],
  );
  client.remove(resources.serviceCidrs, 'kubernetes');
  await clock.advance(10_000);
  assert.ok(stored() !== undefined);
  await stop();
});

test('flags that differ are told of once, and change nothing', async () => {
  const { clock, reasons, stored, stop } = setUp(['10.43.0.0/16'], range(['10.96.0.0/12']));
  await clock.advance(1);
  await clock.advance(30_000);
  assert.deepEqual(reasons, [
    'KubernetesDefaultServiceCIDRInconsistent: The default ServiceCIDR [10.96.0.0/12] does not match the controller flag configurations [10.43.0.0/16]',
  ]);
  assert.deepEqual(stored()?.spec?.cidrs, ['10.96.0.0/12']);
  assert.equal(stored()?.status, undefined);
  await stop();
});

test('a second family is added to a range of one', () => {
  const both = range(['10.43.0.0/16', 'fd00::/112']);
  const change = reconcileServiceCidr(range(['10.43.0.0/16']), both);
  assert.deepEqual(change.action === 'update' && change.object.spec?.cidrs, both.spec?.cidrs);
  for (const stored of [both, range(['10.42.0.0/16'])]) {
    assert.equal(reconcileServiceCidr(stored, both).action, 'keep');
  }
});
