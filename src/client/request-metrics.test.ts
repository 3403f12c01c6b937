import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiStatusError } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import type { Client } from './client.ts';
import { createRequestMeter } from './request-metrics.ts';
import { resources } from './resources.ts';

test('requests are counted by method and code, and timed', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const inner = {
    get: () => clock.sleep(300).then(() => ({ metadata: { name: 'a' } })),
    create: async () => ({}),
    update: () =>
      Promise.reject(new ApiStatusError({ httpCode: 409, reason: 'Conflict', message: 'no' })),
    delete: () => Promise.reject(new Error('no connection')),
    watch: async function* () {},
  } as unknown as Client;
  const client = createRequestMeter({ registry, clock, host: 'h' })(inner);
  const got = client.get(resources.pods, 'a');
  await clock.advance(300);
  assert.deepEqual(await got, { metadata: { name: 'a' } });
  await client.create(resources.pods, { metadata: { name: 'a' } });
  await assert.rejects(client.update(resources.pods, { metadata: { name: 'a' } }), /no/);
  await assert.rejects(client.delete(resources.pods, 'a'), /no connection/);
  client.watch(resources.pods);
  const lines = (await registry.render()).split('\n');
  const shown = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}{`)).sort();
  assert.deepEqual(shown('rest_client_requests_total'), [
    'rest_client_requests_total{code="200",host="h",method="GET"} 2',
    'rest_client_requests_total{code="201",host="h",method="POST"} 1',
    'rest_client_requests_total{code="409",host="h",method="PUT"} 1',
    'rest_client_requests_total{code="<error>",host="h",method="DELETE"} 1',
  ]);
  assert.deepEqual(shown('rest_client_request_duration_seconds_sum').slice(1, 2), [
    'rest_client_request_duration_seconds_sum{host="h",verb="GET"} 0.3',
  ]);
});
