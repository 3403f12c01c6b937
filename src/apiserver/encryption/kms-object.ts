import { createHash, createHmac } from 'node:crypto';
import type { Random } from '#base/random.ts';
import { createAesGcm } from './ciphers.ts';
import type { SealedKey } from './kms-service.ts';
import {
  bytesField,
  bytesOf,
  mapField,
  mapOf,
  numberField,
  readFields,
  textOf,
} from './kms-wire.ts';

/** How the data key follows from what the plugin sealed. */
const seedType = 1;
const infoBytes = 32;
export const seedBytes = 32;

/** What is stored behind the prefix: EncryptedObject of upstream's envelope, version 2. */
export interface EncryptedObject {
  readonly data: Buffer;
  readonly key: SealedKey;
  /** A seed from which each value's key is derived, or else the key itself. */
  readonly isSeed: boolean;
}

export function writeObject({ data, key, isSeed }: EncryptedObject): Buffer {
  return Buffer.concat([
    bytesField(1, data),
    bytesField(2, key.keyId),
    bytesField(3, key.ciphertext),
    mapField(4, key.annotations),
    numberField(5, isSeed ? seedType : 0),
  ]);
}

export function readObject(bytes: Buffer): EncryptedObject {
  const fields = readFields(bytes);
  const type = fields.findLast(({ number }) => number === 5)?.value ?? 0;
  if (type !== 0 && type !== seedType) throw new Error('unknown encryptedDEKSourceType');
  return {
    data: bytesOf(fields, 1),
    key: {
      keyId: textOf(fields, 2),
      ciphertext: bytesOf(fields, 3),
      annotations: mapOf(fields, 4),
    },
    isSeed: type === seedType,
  };
}

/** The same for all values under one sealed key. */
export function keyIdentity({ key, isSeed }: Pick<EncryptedObject, 'key' | 'isSeed'>): string {
  const hash = createHash('sha256').update(`${isSeed} ${key.keyId.length} ${key.keyId}`);
  hash.update(key.ciphertext);
  for (const [name, value] of [...key.annotations].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name.length} ${name} ${value.length} `).update(value);
  }
  return hash.digest('base64');
}

/** AES-GCM under a key of its own, derived from the seed and 32 random bytes in front. */
export function sealWithSeed(seed: Buffer, value: Buffer, path: string, random: Random): Buffer {
  const info = random.bytes(infoBytes);
  return Buffer.concat([info, cipherOf(derivedKey(seed, info), random).seal(value, path)]);
}

/** Opens data with the key or seed that the plugin unsealed. */
export function openData(
  { data, isSeed }: EncryptedObject,
  secret: Buffer,
  path: string,
  random: Random,
): Buffer {
  if (!isSeed) return cipherOf(secret, random).open(data, path);
  if (data.length < infoBytes)
    throw new Error('the stored data was shorter than the required size');
  const key = derivedKey(secret, data.subarray(0, infoBytes));
  return cipherOf(key, random).open(data.subarray(infoBytes), path);
}

/** The one block that HKDF-SHA256 expands a seed to. */
function derivedKey(seed: Buffer, info: Buffer): Buffer {
  return createHmac('sha256', seed)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
}

/** The cipher of the provider aesgcm, without its prefix. */
function cipherOf(
  secret: Buffer,
  random: Random,
): Pick<ReturnType<typeof createAesGcm>, 'seal' | 'open'> {
  const { prefix, seal, open } = createAesGcm({ name: '', secret }, random);
  const start = Buffer.from(prefix);
  return {
    seal: (value, key) => seal(value, key).subarray(start.length),
    open: (stored, key) => open(Buffer.concat([start, stored]), key),
  };
}
