import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { describe, test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import type { Backend, StoreEvent } from '#store/mod.ts';
import { openBackend, StoreError } from '#store/mod.ts';

import { createAesCbc, createAesGcm, createSecretbox } from './ciphers.ts';
import { parseEncryptionConfig } from './config.ts';
import { EncryptedBackend } from './encrypted-backend.ts';

const secretKey = '/registry/secrets/default/s';
const secret = (fill: number, length = 32): string => Buffer.alloc(length, fill).toString('base64');

function config(providers: unknown[], resources = ['secrets']): string {
  return JSON.stringify({
    kind: 'EncryptionConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    resources: [{ resources, providers }],
  });
}

const aescbc = (...keys: [string, number][]) => ({
  aescbc: { keys: keys.map(([name, fill]) => ({ name, secret: secret(fill) })) },
});
const identity = { identity: {} };
const tools = { random: systemRandom, clock: new FakeClock(), log: silentLogger };
const rules = (...args: Parameters<typeof config>) => parseEncryptionConfig(config(...args), tools);

async function stores(text: string): Promise<{ raw: Backend; sealed: EncryptedBackend }> {
  const raw = await openBackend({
    clock: new FakeClock(),
    log: silentLogger,
    endpoint: 'memory://',
    dataDir: '',
  });
  const sealed = new EncryptedBackend({
    backend: raw,
    rules: parseEncryptionConfig(text, tools),
  });
  return { raw, sealed };
}

const put = (text: string) => (): Buffer => Buffer.from(text);
const textOf = (value: Buffer | undefined): string => value?.toString('latin1') ?? '';

describe('providers', () => {
  const key = { name: 'k', secret: Buffer.alloc(32, 7) };
  for (const create of [createAesCbc, createAesGcm, createSecretbox]) {
    const transformer = create(key, systemRandom);
    test(`${transformer.prefix} opens what it sealed, and nothing that was changed`, () => {
      for (const length of [0, 1, 15, 16, 17, 4096]) {
        const plain = Buffer.alloc(length, 0x61);
        const stored = transformer.seal(plain, secretKey);
        assert.ok(stored.toString('latin1').startsWith(transformer.prefix));
        assert.ok(!stored.includes('aaaaaaaa'));
        assert.deepEqual(transformer.open(stored, secretKey), plain);
      }
      const other = create({ ...key, secret: Buffer.alloc(32, 8) }, systemRandom);
      const stored = transformer.seal(Buffer.from('{"kind":"Secret"}'), secretKey);
      let opened: Buffer | undefined;
      try {
        opened = other.open(stored, secretKey);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
      assert.notEqual(opened?.toString(), '{"kind":"Secret"}');
    });
  }

  test('aescbc is the vector, then AES-CBC with PKCS#7: what upstream and k3s read', () => {
    const stored = createAesCbc(key, systemRandom).seal(Buffer.from('hello'), secretKey);
    const data = stored.subarray('k8s:enc:aescbc:v1:k:'.length);
    const decipher = createDecipheriv('aes-256-cbc', key.secret, data.subarray(0, 16));
    const plain = Buffer.concat([decipher.update(data.subarray(16)), decipher.final()]);
    assert.equal(plain.toString(), 'hello');
  });

  test('aesgcm binds the value to its key', () => {
    const gcm = createAesGcm(key, systemRandom);
    const stored = gcm.seal(Buffer.from('x'), secretKey);
    assert.throws(() => gcm.open(stored, '/registry/secrets/default/other'), {
      message: 'cipher: message authentication failed',
    });
  });
});

describe('the configuration', () => {
  test('wildcards cover what they say, and the first entry that covers wins', () => {
    const of = (resources: string[], group: string, resource: string): boolean =>
      rules([aescbc(['k', 1])], resources).transformerOf(group, resource) !== undefined;
    assert.deepEqual(
      [
        of(['secrets'], '', 'secrets'),
        of(['secrets'], '', 'configmaps'),
        of(['*.'], '', 'configmaps'),
        of(['*.'], 'apps', 'deployments'),
        of(['*.apps'], 'apps', 'deployments'),
        of(['deployments.apps'], 'apps', 'deployments'),
        of(['*.*'], 'example.com', 'things'),
      ],
      [true, false, true, false, true, true, true],
    );
  });

  const bad: readonly [string, string, RegExp][] = [
    [
      'another kind',
      '{"kind":"X","apiVersion":"v1"}',
      /no kind "X" is registered for version "v1"/,
    ],
    [
      'a short key',
      config([{ aescbc: { keys: [{ name: 'a', secret: secret(1, 5) }] } }]),
      /secret is not of the expected length, got 5, expected one of \[16 24 32\]/,
    ],
    [
      'a secret that is no base64',
      config([{ aescbc: { keys: [{ name: 'a', secret: '!!' }] } }]),
      /secrets must be base64 encoded/,
    ],
    ['no keys', config([{ secretbox: { keys: [] } }]), /at least one key must be set/],
    ['kms of version 1', config([{ kms: { name: 'x' } }]), /KMSv1 is deprecated/],
    [
      'a plugin that is not local',
      config([{ kms: { apiVersion: 'v2', name: 'x', endpoint: 'tcp://x' } }]),
      /unsupported scheme "tcp" for KMS provider, only unix is supported/,
    ],
    [
      'two plugins of one name',
      config(
        Array.from({ length: 2 }, () => ({
          kms: { apiVersion: 'v2', name: 'x', endpoint: 'unix:///x' },
        })),
      ),
      /duplicate KMS provider name x, names must be unique/,
    ],
    ['overlapping names', config([identity], ['secrets', '*.']), /overlapping resources/],
    [
      'two providers in one',
      config([{ ...identity, ...aescbc(['a', 1]) }]),
      /more than one provider/,
    ],
    ['a star', config([identity], ['*']), /use '\*\.' to encrypt/],
  ];
  for (const [what, text, expected] of bad) {
    test(`${what} is refused, and no secret is shown`, () => {
      assert.throws(
        () => parseEncryptionConfig(text, tools),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'BadEncryptionConfig');
          assert.match(error.message, expected);
          assert.ok(!error.message.includes(secret(1, 5)));
          return true;
        },
      );
    });
  }
});

describe('a sealed datastore', () => {
  test('stores ciphertext and gives plain values to get, list, watch and refusals', async () => {
    const { raw, sealed } = await stores(config([aescbc(['one', 1]), identity]));
    const events: StoreEvent[] = [];
    sealed.watch('', sealed.currentRevision, {
      onEvents: (some) => void events.push(...some),
      onError: (error) => assert.fail(error),
    });
    const made = await sealed.create(secretKey, put('{"a":1}'));
    assert.equal(textOf(made.value), '{"a":1}');
    const stored = textOf((await raw.get(secretKey))?.value);
    assert.ok(stored.startsWith('k8s:enc:aescbc:v1:one:'));
    assert.ok(!stored.includes('"a"'));
    assert.equal(textOf((await sealed.get(secretKey))?.value), '{"a":1}');
    const { items } = await sealed.list('/registry/secrets/');
    assert.deepEqual(
      items.map(({ value }) => textOf(value)),
      ['{"a":1}'],
    );
    await assert.rejects(sealed.update(secretKey, 1, put('x')), (error: unknown) => {
      assert.ok(error instanceof StoreError);
      assert.equal(textOf(error.current?.value), '{"a":1}');
      return true;
    });
    await sealed.update(secretKey, made.modRevision, put('{"a":2}'));
    assert.deepEqual(
      events.map(({ value }) => textOf(value)),
      ['{"a":1}', '{"a":2}'],
    );
    await raw.close();
  });

  test('pages and history show plain values, those before a change too', async () => {
    const { raw, sealed } = await stores(config([aescbc(['one', 1])]));
    const from = sealed.currentRevision;
    const made = await sealed.create(secretKey, put('{"a":1}'));
    const { modRevision } = await sealed.update(secretKey, made.modRevision, put('{"a":2}'));
    const shown: string[] = [];
    for await (const { items } of sealed.pages('/registry/secrets/', { pageItems: 1 })) {
      shown.push(...items.map(({ value }) => textOf(value)));
    }
    assert.deepEqual(shown, ['{"a":2}']);
    const read = { after: from, through: modRevision, maxEvents: 10 };
    const events = (await sealed.history('/registry/secrets/', read)) ?? [];
    assert.deepEqual(
      events.map(({ value, previous }) => `${textOf(previous)} ${textOf(value)}`),
      [' {"a":1}', '{"a":1} {"a":2}'],
    );
    await raw.close();
  });

  test('other kinds are stored as they are', async () => {
    const { raw, sealed } = await stores(config([aescbc(['one', 1])]));
    await sealed.create('/registry/configmaps/n/c', put('{"c":1}'));
    assert.equal(textOf((await raw.get('/registry/configmaps/n/c'))?.value), '{"c":1}');
    assert.equal(sealed.isStale('/registry/configmaps/n/c'), false);
    await raw.close();
  });

  test('after a rotation old values are read, are stale, and are sealed anew when written', async () => {
    const { raw, sealed } = await stores(config([aescbc(['one', 1])]));
    const made = await sealed.create(secretKey, put('{"a":1}'));
    assert.equal(sealed.isStale(secretKey), false);
    sealed.setRules(rules([aescbc(['two', 2], ['one', 1]), identity]));
    assert.equal(textOf((await sealed.get(secretKey))?.value), '{"a":1}');
    assert.equal(sealed.isStale(secretKey), true);
    await sealed.update(secretKey, made.modRevision, put('{"a":1}'));
    assert.equal(sealed.isStale(secretKey), false);
    assert.match(textOf((await raw.get(secretKey))?.value), /^k8s:enc:aescbc:v1:two:/);
    await raw.close();
  });

  test('with identity first, values are written in the plain and sealed ones still read', async () => {
    const { raw, sealed } = await stores(config([aescbc(['one', 1])]));
    const made = await sealed.create(secretKey, put('{"a":1}'));
    sealed.setRules(rules([identity, aescbc(['one', 1])]));
    assert.equal(textOf((await sealed.get(secretKey))?.value), '{"a":1}');
    assert.equal(sealed.isStale(secretKey), true);
    await sealed.update(secretKey, made.modRevision, put('{"a":2}'));
    assert.equal(textOf((await raw.get(secretKey))?.value), '{"a":2}');
    await raw.close();
  });

  const wrong: readonly [string, unknown[], string][] = [
    [
      'another key name',
      [aescbc(['two', 2])],
      'no matching key was found for the provided AES transformer',
    ],
    [
      'another provider',
      [{ secretbox: { keys: [{ name: 'b', secret: secret(3) }] } }],
      'no matching prefix found',
    ],
    ['identity alone', [identity], 'identity transformer tried to read encrypted data'],
  ];
  for (const [what, providers, why] of wrong) {
    test(`with ${what} the key is told of, and the others are read`, async () => {
      const { raw, sealed } = await stores(config([aescbc(['one', 1])]));
      await sealed.create(secretKey, put('{"a":1}'));
      await raw.create('/registry/secrets/default/plain', put('{"p":1}'));
      const later = new EncryptedBackend({ backend: raw, rules: rules(providers) });
      const { items } = await later.list('/registry/secrets/');
      assert.equal(items.length, 2);
      const shown = `unable to transform key "${secretKey}": ${why}`;
      assert.equal(later.problemOf(secretKey), shown);
      assert.equal(later.problemUnder('/registry/secrets/default/'), shown);
      assert.equal(later.problemUnder('/registry/configmaps/'), undefined);
      assert.equal(later.problemOf('/registry/secrets/default/plain'), undefined);
      await raw.close();
    });
  }
});
