import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '#schema/types.ts';
import type { KindHooks } from '../kind-hooks.ts';

/** Certificates whose key is another one, or none, work nowhere. */
export const secretWarnings: KindHooks = {
  warnings(object) {
    const { type, data } = object as unknown as Secret;
    const certificate = data?.['tls.crt'];
    const key = data?.['tls.key'];
    if (type !== 'kubernetes.io/tls' || certificate === undefined || key === undefined) return [];
    const why = pairError(decode(certificate), decode(key));
    return why === undefined ? [] : [`tls: ${why}`];
  },
};

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

function pairError(certificatePem: string, keyPem: string): string | undefined {
  if (!certificatePem.includes('-----BEGIN ')) {
    return 'failed to find any PEM data in certificate input';
  }
  if (!certificatePem.includes('-----BEGIN CERTIFICATE-----')) {
    const found = /-----BEGIN ([^-]+)-----/.exec(certificatePem)?.[1] ?? '';
    return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${found}]`;
  }
  if (!keyPem.includes('-----BEGIN ')) return 'failed to find any PEM data in key input';
  try {
    const isPair = new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
    return isPair ? undefined : 'private key does not match public key';
  } catch {
    return 'failed to parse private key';
  }
}
