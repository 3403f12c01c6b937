import type { KeyObject } from 'node:crypto';

import { K3tsError } from '#base/errors.ts';
import { keyOfSigningRequest, signingRequest } from './signed-values.ts';

/** A signing request (DER) for this key. The server sets subject and names itself. */
export async function createSigningRequest(keyPem: string): Promise<Buffer> {
  return signingRequest(keyPem);
}

/** The public key of a signing request whose own signature is right; `BadRequest` otherwise. */
export async function publicKeyOfRequest(der: Buffer): Promise<KeyObject> {
  try {
    return keyOfSigningRequest(der);
  } catch (error) {
    throw new K3tsError('BadRequest', 'the certificate signing request is not valid', {
      cause: error,
    });
  }
}
