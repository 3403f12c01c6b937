import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom, systemRandom } from '#base/random.ts';
import type { Client } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { Backend } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';
import type { ApiServer } from '../server.ts';
import { createApiServer } from '../server.ts';
import { parseEncryptionConfig } from './config.ts';
import { EncryptedBackend } from './encrypted-backend.ts';

const clock = new FakeClock();
const user = { name: 'admin', groups: ['system:masters'] };
const at = { namespace: 'n' };

function rulesWith(keyByte: number): ReturnType<typeof parseEncryptionConfig> {
  const secret = Buffer.alloc(32, keyByte).toString('base64');
  const config = {
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [
      { resources: ['events'], providers: [{ secretbox: { keys: [{ name: 'k', secret }] } }] },
    ],
  };
  return parseEncryptionConfig(JSON.stringify(config), {
    random: systemRandom,
    clock,
    log: silentLogger,
  });
}

async function start(
  raw: Backend,
  keyByte: number,
): Promise<{ server: ApiServer; client: Client }> {
  const backend = new EncryptedBackend({ backend: raw, rules: rulesWith(keyByte) });
  const server = createApiServer({
    backend,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    operation: { encryption: backend },
    extend: () => ({
      authenticator: { authenticate: () => Promise.resolve({ user }) },
      authorizer: { authorize: () => Promise.resolve({ decision: 'allow', reason: '' }) },
    }),
  });
  await server.start();
  return { server, client: server.client(user, 'test') };
}

test('sealed events are opened when they are read, and told of when they cannot be', async (t) => {
  const raw = await openBackend({ clock, log: silentLogger, endpoint: 'memory://', dataDir: '' });
  const first = await start(raw, 1);
  const involvedObject = { kind: 'Pod', name: 'p', namespace: 'n' };
  const metadata = { name: 'a', namespace: 'n' };
  const event = { metadata, involvedObject, reason: 'Started' };
  const made = await first.client.create(resources.events, event, at);
  const stored = await raw.get('/registry/events/n/a');
  assert.match(stored?.value.toString('latin1') ?? '', /^k8s:enc:secretbox:v1:k:/);
  await first.server.close();

  const again = await start(raw, 1);
  const bySelector = { ...at, fieldSelector: 'involvedObject.name=p,reason=Started' };
  assert.deepEqual(await again.client.get(resources.events, 'a', at), made);
  assert.equal((await again.client.list(resources.events, bySelector)).items.length, 1);
  await again.server.close();

  const other = await start(raw, 2);
  t.after(async () => {
    await other.server.close();
    await raw.close();
  });
  const problem = /unable to transform key "\/registry\/events\/n\/a"/;
  await assert.rejects(other.client.get(resources.events, 'a', at), problem);
  await assert.rejects(other.client.list(resources.events, at), problem);
  await assert.rejects(other.client.list(resources.events, bySelector), problem);
  await assert.rejects(other.client.update(resources.events, made, at), problem);
});
