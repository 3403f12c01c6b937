import { createPublicKey, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { K3tsError } from '#base/errors.ts';
import { signingKeyOf } from './key.ts';
import { loadX509 } from './x509-library.ts';

/** A signing request (DER) for a P-256 key. The server sets subject and names itself. */
export async function createSigningRequest(keyPem: string): Promise<Buffer> {
  const x509 = await loadX509();
  const publicKey = createPublicKey(keyPem).toCryptoKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['verify'],
  );
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      keys: { privateKey: signingKeyOf(keyPem), publicKey },
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    },
    webcrypto,
  );
  return Buffer.from(request.rawData);
}

/** The public key of a signing request whose own signature is right; `BadRequest` otherwise. */
export async function publicKeyOfRequest(der: Buffer): Promise<KeyObject> {
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(der);
    if (!(await request.verify(webcrypto))) throw new Error('its signature is wrong');
    return createPublicKey({
      key: Buffer.from(request.publicKey.rawData),
      format: 'der',
      type: 'spki',
    });
  } catch (error) {
    throw new K3tsError('BadRequest', 'the certificate signing request is not valid', {
      cause: error,
    });
  }
}
