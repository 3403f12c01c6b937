import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { createCipheriv, createDecipheriv } from 'node:crypto';

import type { Random } from '#base/random.ts';

import type { Transformer } from './transformer.ts';

const blockBytes = 16;
const gcmNonceBytes = 12;
const gcmTagBytes = 16;
const boxNonceBytes = 24;

export interface CipherKey {
  readonly name: string;
  readonly secret: Buffer;
}

type CipherFactory = (key: CipherKey, random: Random) => Transformer;

/** AES in CBC mode with PKCS#7 padding: not authenticated, as upstream. */
export const createAesCbc: CipherFactory = ({ name, secret }, random) => {
  const prefix = `k8s:enc:aescbc:v1:${name}:`;
  const start = Buffer.from(prefix);
  const algorithm = `aes-${secret.length * 8}-cbc`;
  return {
    prefix,
    seal(value) {
      const vector = random.bytes(blockBytes);
      const cipher = createCipheriv(algorithm, secret, vector);
      return Buffer.concat([start, vector, cipher.update(value), cipher.final()]);
    },
    open(stored) {
      const data = stored.subarray(start.length);
      if (data.length < blockBytes) {
        throw new Error('the stored data was shorter than the required size');
      }
      if (data.length % blockBytes !== 0) {
        throw new Error('the stored data is not a multiple of the block size');
      }
      const decipher = createDecipheriv(algorithm, secret, data.subarray(0, blockBytes));
      try {
        return Buffer.concat([decipher.update(data.subarray(blockBytes)), decipher.final()]);
      } catch (error) {
        throw new Error('invalid padding on input', { cause: error });
      }
    },
  };
};

/** AES-GCM; the storage key is authenticated with the value. */
export const createAesGcm: CipherFactory = ({ name, secret }, random) => {
  const prefix = `k8s:enc:aesgcm:v1:${name}:`;
  const start = Buffer.from(prefix);
  const algorithm = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm';
  return {
    prefix,
    seal(value, key) {
      const nonce = random.bytes(gcmNonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce);
      cipher.setAAD(Buffer.from(key));
      const body = [cipher.update(value), cipher.final()];
      return Buffer.concat([start, nonce, ...body, cipher.getAuthTag()]);
    },
    open(stored, key) {
      const data = stored.subarray(start.length);
      if (data.length < gcmNonceBytes + gcmTagBytes) {
        throw new Error('the stored data was shorter than the required size');
      }
      const end = data.length - gcmTagBytes;
      const decipher = createDecipheriv(algorithm, secret, data.subarray(0, gcmNonceBytes));
      decipher.setAAD(Buffer.from(key));
      decipher.setAuthTag(data.subarray(end));
      try {
        const body = decipher.update(data.subarray(gcmNonceBytes, end));
        return Buffer.concat([body, decipher.final()]);
      } catch (error) {
        throw new Error('cipher: message authentication failed', { cause: error });
      }
    },
  };
};

/** NaCl's secretbox: XSalsa20 and Poly1305. */
export const createSecretbox: CipherFactory = ({ name, secret }, random) => {
  const prefix = `k8s:enc:secretbox:v1:${name}:`;
  const start = Buffer.from(prefix);
  return {
    prefix,
    seal(value) {
      const nonce = random.bytes(boxNonceBytes);
      return Buffer.concat([start, nonce, xsalsa20poly1305(secret, nonce).encrypt(value)]);
    },
    open(stored) {
      const data = stored.subarray(start.length);
      if (data.length < boxNonceBytes) {
        throw new Error('the stored data was shorter than the required size');
      }
      const nonce = data.subarray(0, boxNonceBytes);
      try {
        return Buffer.from(xsalsa20poly1305(secret, nonce).decrypt(data.subarray(boxNonceBytes)));
      } catch (error) {
        throw new Error('the stored data could not be decrypted', { cause: error });
      }
    },
  };
};
