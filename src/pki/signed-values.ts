import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { K3tsError } from '#base/errors.ts';
import {
  bitString,
  der,
  objectIdentifier,
  readSequence,
  readValues,
  sequence,
  text,
} from './der.ts';

/** Signature algorithms by object identifier; the digest is part of the key's scheme for Ed25519. */
const digests: Readonly<Record<string, string | undefined>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': undefined,
};
/** What Go says of a signature that is wrong, by the type of the key. */
const wrongSignature: Readonly<Record<string, string>> = {
  ec: 'x509: ECDSA verification failure',
  ed25519: 'x509: Ed25519 verification failure',
  rsa: 'crypto/rsa: verification error',
};
const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const rsaWithSha256 = sequence(objectIdentifier('1.2.840.113549.1.1.11'), der(0x05));

/** Which algorithm `key` signs with here, as certificates name it. */
export function algorithmOf(key: KeyObject): Buffer {
  if (key.asymmetricKeyType === 'ec') return ecdsaWithSha256;
  if (key.asymmetricKeyType === 'rsa') return rsaWithSha256;
  throw new K3tsError('InvalidKey', `a key of type ${key.asymmetricKeyType} cannot sign`);
}

/** The value with its signature, as certificates and requests are. */
export function signed(value: Buffer, key: KeyObject): Buffer {
  return sequence(value, algorithmOf(key), bitString(sign('sha256', value, key)));
}

/** A distinguished name: organizations first, then the common name, each a part of its own. */
export function distinguishedName(organizations: readonly string[], commonName: string): Buffer {
  const part = (identifier: string, value: string): Buffer =>
    der(0x31, sequence(objectIdentifier(identifier), text(value)));
  return sequence(
    ...organizations.map((name) => part('2.5.4.10', name)),
    part('2.5.4.3', commonName),
  );
}

export function publicKeyInfo(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** The usual identifier of a key: a digest of its bits. */
export function keyIdentifier(info: Buffer): Buffer {
  const bits = readSequence(info)[1]?.content.subarray(1) ?? Buffer.alloc(0);
  return hash('sha1', bits, 'buffer');
}

/** What is taken over from an authority's certificate into those that it signs. */
export interface Issuer {
  readonly subject: Buffer;
  /** The one that its certificate has, else the usual one. */
  readonly keyIdentifier: Buffer;
}

const keyIdentifierExtension = objectIdentifier('2.5.29.14');
const extensionsTag = 0xa3;

export function readIssuer(certificate: Buffer): Issuer {
  const [body] = readSequence(certificate);
  const fields = readValues(body?.content ?? Buffer.alloc(0));
  const [, , , , , subject, info] = fields;
  if (subject === undefined || info === undefined) {
    throw new K3tsError('BadRequest', 'the certificate of the authority lacks a part');
  }
  const extensions = fields.find(({ tag }) => tag === extensionsTag);
  const named =
    extensions === undefined
      ? undefined
      : readSequence(extensions.content)
          .map(({ content }) => readValues(content))
          .find(([identifier]) => identifier?.whole.equals(keyIdentifierExtension))
          ?.at(-1);
  const own = named === undefined ? undefined : readValues(named.content)[0]?.content;
  return { subject: subject.whole, keyIdentifier: own ?? keyIdentifier(info.whole) };
}

/** A signing request for this key, which names nobody. */
export function signingRequest(privateKeyPem: string): Buffer {
  const key = createPrivateKey(privateKeyPem);
  const version = der(0x02, Buffer.from([0]));
  const noAttributes = der(0xa0);
  const info = publicKeyInfo(createPublicKey(key));
  return signed(sequence(version, sequence(), info, noAttributes), key);
}

/** The key of a signing request that was signed with it; throws when that is not so. */
export function keyOfSigningRequest(request: Buffer): KeyObject {
  const [body, algorithm, signature, ...others] = readSequence(request);
  const isComplete =
    body?.tag === 0x30 && algorithm?.tag === 0x30 && signature?.tag === 0x03 && others.length === 0;
  const info = isComplete ? readValues(body.content)[2] : undefined;
  if (!isComplete || info === undefined || signature.content[0] !== 0) {
    throw new K3tsError('BadRequest', 'the request lacks a part');
  }
  const key = createPublicKey({ key: info.whole, format: 'der', type: 'spki' });
  const [identifier] = readValues(algorithm.content);
  const known = Object.keys(digests).find((one) => identifier?.whole.equals(objectIdentifier(one)));
  if (known === undefined) {
    throw new K3tsError('UnknownAlgorithm', 'its signature algorithm is unknown');
  }
  if (!verify(digests[known], body.whole, key, signature.content.subarray(1))) {
    throw new K3tsError('WrongSignature', wrongSignature[key.asymmetricKeyType ?? ''] ?? '');
  }
  return key;
}
