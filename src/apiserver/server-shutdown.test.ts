import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { resources } from '#client/mod.ts';
import type { ConfigMap } from '#schema/types.ts';
import { startTestServer } from './test-server.ts';

const at = { namespace: 'n' };
const map: ConfigMap = { metadata: { name: 'a' }, data: {} };

test('a server that ends answers what it has begun, and refuses what comes then', async () => {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const target = await startTestServer({
    clock: new FakeClock(),
    extensions: {
      authorizer: {
        async authorize({ verb }) {
          if (verb === 'get') {
            arrived.resolve();
            await released.promise;
          }
          return { decision: 'allow', reason: '' };
        },
      },
    },
  });
  const { client, port, ca } = await target.listen();
  await client.create(resources.configMaps, map, at);
  const half = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'] });
  await once(half, 'secureConnect');
  let answer = '';
  half.setEncoding('utf8').on('data', (text: string) => (answer += text));
  half.write('GET /api/v1/namespaces HTTP/1.1\r\nHost: a\r\n');
  const read = client.get<ConfigMap>(resources.configMaps, 'a', at);
  await arrived.promise;
  const closed = target.server.close();
  half.write('Connection: close\r\n\r\n');
  await once(half, 'close');
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.match(answer, /^Retry-After: 1\r$/im);
  assert.match(answer, /"message":"apiserver is shutting down","reason":"ServiceUnavailable"/);
  released.resolve();
  assert.equal((await read).metadata.name, 'a');
  await closed;
  client.close();
  await target.backend.close();
});
