import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Iptables } from '#host/iptables.ts';
import type { EndpointSlice, Service } from '#schema/types.ts';
import { startServiceProxy } from './service-proxy.ts';

/** Tables that take everything. */
const tables: Iptables = {
  family: 4,
  info: { variant: 'nft', version: '1.8.9' },
  restore: async () => undefined,
  save: async () => '',
  check: async () => true,
  run: async () => undefined,
};

test('without iptables the proxy says so once, and goes on when they are installed', async (t) => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    now: () => clock.now(),
    write: (line) => void lines.push(line.replace(/^time=\S+ /, '').trimEnd()),
  });
  const common = { clock, random: seededRandom(1), log, signal: stopping.signal };
  const informers = createInformerFactory({ ...common, client });
  let opened = 0;
  let isInstalled = false;
  const proxy = startServiceProxy({
    ...common,
    services: informers.informer<Service>(resources.services),
    endpointSlices: informers.informer<EndpointSlice>(resources.endpointSlices),
    nodeName: 'node-1',
    clusterCidrs: ['10.42.0.0/16'],
    async openTables() {
      opened += 1;
      if (!isInstalled) throw new Error('iptables not found in PATH: install it');
      return tables;
    },
  });
  informers.start();
  const pass = async (): Promise<void> => await clock.advance(500);
  await eventually('three tries', () => opened >= 3, pass);
  isInstalled = true;
  let isReady = false;
  void proxy.ready.then(() => (isReady = true));
  await eventually('the rules', () => isReady, pass);
  assert.deepEqual(lines, [
    'level=error msg="Cannot write service rules; trying again" error="iptables not found in PATH: install it"',
    'level=info msg="Service rules are written again"',
  ]);
});
