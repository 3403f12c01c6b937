import type { KeyObject } from 'node:crypto';

import { hasCode, K3tsError, messageOf } from '#base/errors.ts';
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

/**
 * Why a signing request (DER) is none: it cannot be read, or its own signature is wrong. Undefined
 * for a good one, and for one whose algorithm is not known here.
 */
export function signingRequestProblem(der: Buffer): string | undefined {
  try {
    keyOfSigningRequest(der);
    return undefined;
  } catch (error) {
    if (hasCode(error, 'UnknownAlgorithm')) return undefined;
    if (hasCode(error, 'WrongSignature')) return messageOf(error);
    return 'asn1: syntax error: the certificate request cannot be read';
  }
}
