import { createPrivateKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** A new P-256 key as PEM in SEC 1 form (EC PRIVATE KEY), as k3s writes it. */
export async function createEcKey(): Promise<string> {
  const { privateKey } = await generate('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' });
}

/** A new RSA 2048 key as PEM in PKCS 1 form, for service-account tokens. */
export async function createRsaKey(): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' });
}

/** A signing key in the form that the certificate library wants. */
export function signingKeyOf(privateKeyPem: string): CryptoKey {
  return createPrivateKey(privateKeyPem).toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
  ]);
}
