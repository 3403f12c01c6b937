import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { isSignedBy, readKeySet, splitJws } from './jws.ts';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(algorithm: string, key: Parameters<typeof sign>[2]): string {
  const text = `${encode({ alg: algorithm, kid: 'k' })}.${encode({ iss: 'i' })}`;
  const digest = `sha${algorithm.slice(2)}`;
  return `${text}.${sign(digest, Buffer.from(text), key).toString('base64url')}`;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = readKeySet({
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'enc', use: 'enc' },
    { kty: 'future', kid: 'f' },
  ],
});

describe('signed tokens', () => {
  it('of the keys in a set only those that sign and are understood are taken', () => {
    assert.deepEqual(
      keys.map(({ id }) => id),
      ['k', 'e'],
    );
    assert.throws(() => readKeySet({}), /no keys/);
  });

  const cases: [string, Parameters<typeof sign>[2], boolean[]][] = [
    ['RS256', rsa.privateKey, [true, false]],
    ['RS512', rsa.privateKey, [true, false]],
    ['PS256', { key: rsa.privateKey, padding: 6, saltLength: 32 }, [true, false]],
    ['ES256', { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }, [false, true]],
    ['HS256', rsa.privateKey, [false, false]],
  ];
  for (const [algorithm, key, fits] of cases) {
    it(`${algorithm} is of the key of its own sort`, () => {
      const jws = splitJws(token(algorithm, key));
      assert.ok(jws);
      assert.deepEqual(
        keys.map((one) => isSignedBy(jws, one)),
        fits,
      );
    });
  }

  it('a changed body is not signed', () => {
    const [head, , signature] = token('RS256', rsa.privateKey).split('.');
    const jws = splitJws(`${head}.${encode({ iss: 'other' })}.${signature}`);
    assert.ok(jws);
    assert.equal(
      keys.some((key) => isSignedBy(jws, key)),
      false,
    );
  });

  for (const text of ['', 'a.b', 'a.b.c', `${encode([])}.${encode({})}.x`, 'abc.def.ghi.jkl']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(splitJws(text), undefined));
  }
});
