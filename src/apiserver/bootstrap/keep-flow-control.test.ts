import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasReason } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { FlowSchema } from '#schema/types.ts';

import { startTestServer } from '../test-server.ts';
import { keepFlowControl, reconcileFlowControl } from './keep-flow-control.ts';

const resource = {
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  resource: 'flowschemas',
} as const;

test('every minute mandatory objects come back, and stale defaults go', async () => {
  const target = await startTestServer();
  const { client } = target;
  const clock = new FakeClock();
  const stop = new AbortController();
  try {
    assert.ok((await reconcileFlowControl({ client })) > 15);
    assert.equal(await reconcileFlowControl({ client }), 0);
    await client.delete(resource, 'catch-all');
    const probes = await client.get<FlowSchema>(resource, 'probes');
    await client.create<FlowSchema>(resource, {
      metadata: { name: 'old', annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } },
      spec: probes.spec,
    });
    keepFlowControl({ client, clock, log: silentLogger, signal: stop.signal });
    await clock.advance(60_000);
    for (let i = 0; i < 200; i++) {
      await clock.advance(0);
      const { items } = await client.list<FlowSchema>(resource);
      const names = items.map(({ metadata }) => metadata.name);
      if (names.includes('catch-all') && !names.includes('old')) break;
    }
    assert.equal((await client.get(resource, 'catch-all')).metadata.name, 'catch-all');
    await assert.rejects(client.get(resource, 'old'), (error: unknown) =>
      hasReason(error, 'NotFound'),
    );
  } finally {
    stop.abort();
    await target.close();
  }
});
