import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import type { Backend } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';
import { EncryptedBackend } from './encrypted-backend.ts';
import { readObject, writeObject } from './kms-object.ts';
import { KmsProvider } from './kms-provider.ts';
import type { KmsService } from './kms-service.ts';

const minute = 60_000;
const path = '/registry/secrets/default/a';

/** A plugin that turns keys around, with a key that the test may change. */
function fakePlugin() {
  const plugin = { keyId: 'k1', healthz: 'ok', decrypts: 0, isGone: false };
  const turned = (bytes: Buffer): Buffer => Buffer.from(bytes).reverse();
  const reachable = (): void => {
    if (plugin.isGone) throw new Error('connection refused');
  };
  const service: KmsService = {
    async status() {
      reachable();
      return { version: 'v2', healthz: plugin.healthz, keyId: plugin.keyId };
    },
    async encrypt(plaintext) {
      reachable();
      const annotations = new Map([['a.example.com', Buffer.from('x')]]);
      return { ciphertext: turned(plaintext), keyId: plugin.keyId, annotations };
    },
    async decrypt({ ciphertext, annotations }) {
      reachable();
      plugin.decrypts++;
      assert.equal(annotations.get('a.example.com')?.toString(), 'x');
      return turned(ciphertext);
    },
    close: () => undefined,
  };
  return { plugin, service };
}

function providerOf(service: KmsService, clock: FakeClock): KmsProvider {
  return new KmsProvider({ name: 'p', service, clock, random: systemRandom, log: silentLogger });
}

async function storesOf(provider: KmsProvider, raw?: Backend) {
  const inner =
    raw ??
    (await openBackend({
      clock: new FakeClock(),
      log: silentLogger,
      endpoint: 'memory://',
      dataDir: '',
    }));
  const rules = { providers: [provider], transformerOf: () => provider };
  return { inner, sealed: new EncryptedBackend({ backend: inner, rules }) };
}

test('the stored object has the fields of upstream', () => {
  const key = {
    keyId: 'id',
    ciphertext: Buffer.from('ct'),
    annotations: new Map([['a.b', Buffer.from('v')]]),
  };
  const bytes = writeObject({ data: Buffer.from('d'), key, isSeed: true });
  assert.equal(bytes.toString('hex'), '0a0164120269641a02637422080a03612e621201762801');
  assert.deepEqual(readObject(bytes), { data: Buffer.from('d'), key, isSeed: true });
});

test('values go through a key that only the plugin can open, once', async () => {
  const { plugin, service } = fakePlugin();
  const clock = new FakeClock();
  const first = providerOf(service, clock);
  await first.start();
  const { inner, sealed } = await storesOf(first);
  await sealed.create(path, () => Buffer.from('geheim'));
  await sealed.create(`${path}2`, () => Buffer.from('auch'));
  const raw = (await inner.get(path))?.value ?? Buffer.alloc(0);
  assert.ok(raw.toString('latin1').startsWith('k8s:enc:kms:v2:p:'));
  assert.ok(!raw.includes('geheim'));
  assert.equal(plugin.decrypts, 0, 'what this process sealed it need not ask for');

  const second = providerOf(service, clock);
  await second.start();
  const again = await storesOf(second, inner);
  assert.equal((await again.sealed.get(path))?.value.toString(), 'geheim');
  const all = await again.sealed.list('/registry/secrets/');
  assert.deepEqual(
    all.items.map(({ value }) => value.toString()),
    ['geheim', 'auch'],
  );
  assert.equal(plugin.decrypts, 1);
  first.close();
  second.close();
});

test('another key of the plugin makes stored values stale, and both can be read', async () => {
  const { plugin, service } = fakePlugin();
  const clock = new FakeClock();
  const provider = providerOf(service, clock);
  await provider.start();
  const { sealed } = await storesOf(provider);
  await sealed.create(path, () => Buffer.from('v'));
  await sealed.get(path);
  assert.equal(sealed.isStale(path), false);
  plugin.keyId = 'k2';
  await clock.advance(minute);
  assert.equal(sealed.isStale(path), true);
  assert.equal((await sealed.get(path))?.value.toString(), 'v');
  provider.close();
});

test('without the plugin values are written for three minutes, and are read on', async () => {
  const { plugin, service } = fakePlugin();
  const clock = new FakeClock();
  const provider = providerOf(service, clock);
  await provider.start();
  provider.check();
  const { sealed } = await storesOf(provider);
  await sealed.create(path, () => Buffer.from('v'));
  plugin.isGone = true;
  await clock.advance(minute);
  assert.throws(() => provider.check(), { message: 'connection refused' });
  await sealed.create(`${path}2`, () => Buffer.from('w'));
  await clock.advance(2 * minute);
  await assert.rejects(
    sealed.create(`${path}3`, () => Buffer.from('x')),
    { message: 'the key of the kms provider p has expired: connection refused' },
  );
  assert.equal((await sealed.get(path))?.value.toString(), 'v');
  plugin.isGone = false;
  await clock.advance(minute);
  await sealed.create(`${path}3`, () => Buffer.from('x'));
  provider.close();
});

test('a value whose key the plugin does not open is a problem of its own', async () => {
  const { plugin, service } = fakePlugin();
  const clock = new FakeClock();
  const first = providerOf(service, clock);
  await first.start();
  const { inner, sealed } = await storesOf(first);
  await sealed.create(path, () => Buffer.from('v'));
  const second = providerOf(service, clock);
  await second.start();
  plugin.isGone = true;
  const other = await storesOf(second, inner);
  await other.sealed.get(path);
  assert.match(
    other.sealed.problemOf(path) ?? '',
    /failed to decrypt DEK, error: connection refused/,
  );
  plugin.isGone = false;
  assert.equal((await other.sealed.get(path))?.value.toString(), 'v');
  assert.equal(other.sealed.problemOf(path), undefined);
  first.close();
  second.close();
});

test('a plugin that is not there ends the start with its name', async () => {
  const { plugin, service } = fakePlugin();
  plugin.healthz = 'broken';
  await assert.rejects(providerOf(service, new FakeClock()).start(), {
    message: 'kms-provider p: got unexpected healthz status: broken',
  });
});
